//! The llama architecture on the CPU: quantized weights, and the keys and values of one context.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use candle_core::quantized::gguf_file::{Content, Value};
use candle_core::quantized::{GgmlDType, QMatMul, QTensor};
use candle_core::{D, DType, Device, Module, Tensor};
use candle_nn::attention::{AttnMask, flash_attn};
use candle_nn::ops::silu;
use candle_nn::rotary_emb::rope_i;
use candle_nn::{Embedding, RmsNorm};

/// The most tokens of prompt and answer together. The model allows 8,192; this limit bounds memory and waiting time.
pub(crate) const CONTEXT_TOKENS: usize = 2_048;

/// A loaded model with the state of one context.
#[derive(Debug)]
pub(crate) struct Llama {
    embedding: Embedding,
    layers: Vec<Layer>,
    norm: RmsNorm,
    output: QMatMul,
    cos: Tensor,
    sin: Tensor,
}

#[derive(Debug)]
struct Layer {
    attention_norm: RmsNorm,
    query: Matrix,
    key: Matrix,
    value: Matrix,
    attention_output: Matrix,
    feed_forward_norm: RmsNorm,
    gate: Matrix,
    up: Matrix,
    down: Matrix,
    /// Keys and values of the context, with shape (1, `CONTEXT_TOKENS`, heads, head size).
    keys: Tensor,
    values: Tensor,
    heads: usize,
    key_heads: usize,
    head_size: usize,
}

impl Llama {
    /// Loads the weights of `content`, the header of the GGUF file at `path`.
    pub(crate) fn load(content: &Content, path: &Path) -> Result<Self> {
        let mut file = File::open(path)?;
        let device = Device::Cpu;
        let architecture = metadata(content, "general.architecture")?.to_string()?;
        ensure!(
            architecture == "llama",
            "the architecture {architecture} is unsupported: use a llama model"
        );
        let number = |name: &str| -> Result<usize> {
            Ok(metadata(content, &format!("llama.{name}"))?.to_u32()? as usize)
        };
        let heads = number("attention.head_count")?;
        let key_heads = number("attention.head_count_kv")?;
        let embedding_size = number("embedding_length")?;
        let head_size = embedding_size / heads;
        let rope_size = number("rope.dimension_count")?;
        ensure!(
            rope_size == head_size,
            "partial rotary embeddings are unsupported"
        );
        ensure!(
            number("context_length")? >= CONTEXT_TOKENS,
            "the context of the model is below {CONTEXT_TOKENS} tokens"
        );
        let eps = f64::from(metadata(content, "llama.attention.layer_norm_rms_epsilon")?.to_f32()?);
        let base = metadata(content, "llama.rope.freq_base")?.to_f32()?;

        let mut tensor = |name: &str| -> Result<QTensor> {
            content
                .tensor(&mut file, name, &device)
                .with_context(|| format!("reading the tensor {name}"))
        };
        let token_embedding = tensor("token_embd.weight")?;
        let embedding = Embedding::new(token_embedding.dequantize(&device)?, embedding_size);
        let output = match tensor("output.weight") {
            Ok(output) => output,
            Err(_) => token_embedding, // tied weights
        };
        let norm = RmsNorm::new(tensor("output_norm.weight")?.dequantize(&device)?, eps);
        let mut layers = Vec::new();
        for index in 0..number("block_count")? {
            let mut tensor = |name: &str| tensor(&format!("blk.{index}.{name}.weight"));
            let cache = || {
                Tensor::zeros(
                    (1, CONTEXT_TOKENS, key_heads, head_size),
                    DType::F32,
                    &device,
                )
            };
            layers.push(Layer {
                attention_norm: RmsNorm::new(tensor("attn_norm")?.dequantize(&device)?, eps),
                query: Matrix::new(&tensor("attn_q")?)?,
                key: Matrix::new(&tensor("attn_k")?)?,
                value: Matrix::new(&tensor("attn_v")?)?,
                attention_output: Matrix::new(&tensor("attn_output")?)?,
                feed_forward_norm: RmsNorm::new(tensor("ffn_norm")?.dequantize(&device)?, eps),
                gate: Matrix::new(&tensor("ffn_gate")?)?,
                up: Matrix::new(&tensor("ffn_up")?)?,
                down: Matrix::new(&tensor("ffn_down")?)?,
                keys: cache()?,
                values: cache()?,
                heads,
                key_heads,
                head_size,
            });
        }
        let (cos, sin) = rotations(head_size, base, &device)?;
        Ok(Self {
            embedding,
            layers,
            norm,
            output: QMatMul::from_qtensor(output)?,
            cos,
            sin,
        })
    }

    /// Reads `tokens` at `position`, after the tokens before it. Returns the logits of the token that follows them.
    pub(crate) fn forward(&mut self, tokens: &[u32], position: usize) -> Result<Vec<f32>> {
        let count = tokens.len();
        ensure!(position + count <= CONTEXT_TOKENS, "the context is full");
        let cos = self.cos.narrow(0, position, count)?;
        let sin = self.sin.narrow(0, position, count)?;
        let mut x = self
            .embedding
            .forward(&Tensor::new(tokens, &Device::Cpu)?)?
            .unsqueeze(0)?;
        for layer in &self.layers {
            let attended =
                layer.attend(&layer.attention_norm.forward(&x)?, position, &cos, &sin)?;
            x = (x + attended)?;
            let normed = layer.feed_forward_norm.forward(&x)?;
            let gated = (silu(&layer.gate.forward(&normed)?)? * layer.up.forward(&normed)?)?;
            x = (x + layer.down.forward(&gated)?)?;
        }
        let last = x.narrow(1, count - 1, 1)?.contiguous()?;
        Ok(self
            .output
            .forward(&self.norm.forward(&last)?)?
            .flatten_all()?
            .to_vec1()?)
    }
}

impl Layer {
    fn attend(&self, x: &Tensor, position: usize, cos: &Tensor, sin: &Tensor) -> Result<Tensor> {
        let count = x.dim(1)?;
        let rotate = |x: &Tensor, heads: usize| -> Result<Tensor> {
            let x = x
                .reshape((1, count, heads, self.head_size))?
                .transpose(1, 2)?
                .contiguous()?;
            Ok(rope_i(&x, cos, sin)?.transpose(1, 2)?.contiguous()?)
        };
        let query = rotate(&self.query.forward(x)?, self.heads)?;
        let key = rotate(&self.key.forward(x)?, self.key_heads)?;
        let value = self
            .value
            .forward(x)?
            .reshape((1, count, self.key_heads, self.head_size))?;
        self.keys.slice_set(&key, 1, position)?;
        self.values.slice_set(&value, 1, position)?;
        let keys = self.keys.narrow(1, 0, position + count)?;
        let values = self.values.narrow(1, 0, position + count)?;
        let scale = (self.head_size as f32).sqrt().recip();
        let mask = AttnMask::causal_with_offset(position);
        let y = flash_attn::<f32>(&query, &keys, &values, scale, mask, None, None)?;
        let y = y
            .transpose(1, 2)?
            .reshape((1, count, self.heads * self.head_size))?;
        self.attention_output.forward(&y)
    }
}

/// A matrix of weights in two forms.
#[derive(Debug)]
struct Matrix {
    /// For one token, where reading the weights takes the time. candle multiplies Q8_0 with SIMD, and Q4_1 without.
    quantized: QMatMul,
    /// For the tokens of a prompt, where multiplying takes the time.
    full: Tensor,
}

impl Matrix {
    fn new(tensor: &QTensor) -> Result<Self> {
        let full = tensor.dequantize(&Device::Cpu)?;
        let quantized = QMatMul::from_qtensor(QTensor::quantize(&full, GgmlDType::Q8_0)?)?;
        Ok(Self {
            quantized,
            full: full.t()?,
        })
    }

    /// Multiplies `x` with shape (1, tokens, size).
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if x.dim(1)? == 1 {
            return Ok(self.quantized.forward(x)?);
        }
        Ok(x.squeeze(0)?.matmul(&self.full)?.unsqueeze(0)?)
    }
}

/// Returns cosines and sines of the rotary embedding, each with shape (`CONTEXT_TOKENS`, `head_size` / 2).
fn rotations(head_size: usize, base: f32, device: &Device) -> Result<(Tensor, Tensor)> {
    let frequencies: Vec<f32> = (0..head_size)
        .step_by(2)
        .map(|i| base.powf(-(i as f32) / head_size as f32))
        .collect();
    let frequencies = Tensor::new(frequencies, device)?.unsqueeze(0)?;
    let positions = Tensor::arange(0, CONTEXT_TOKENS as u32, device)?
        .to_dtype(DType::F32)?
        .unsqueeze(D::Minus1)?;
    let angles = positions.broadcast_mul(&frequencies)?;
    Ok((angles.cos()?, angles.sin()?))
}

/// Returns a value of the file's metadata.
pub(crate) fn metadata<'a>(content: &'a Content, name: &str) -> Result<&'a Value> {
    content
        .metadata
        .get(name)
        .with_context(|| format!("the file has no metadata {name}"))
}
