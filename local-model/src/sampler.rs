//! The choice of the next token.

/// Tokens with less than e⁻²⁰ of the highest probability are never chosen, which makes sorting cheap.
const LOWEST_RELATIVE_LOG: f32 = -20.0;

/// Chooses tokens by their probabilities, repeatably.
#[derive(Debug)]
pub(crate) struct Sampler {
    temperature: f32,
    top_p: f32,
    random: fastrand::Rng,
}

impl Sampler {
    /// Returns a sampler. Temperature zero always chooses the most probable token.
    pub(crate) fn new(temperature: f32, top_p: f32, seed: u64) -> Self {
        Self {
            temperature,
            top_p,
            random: fastrand::Rng::with_seed(seed),
        }
    }

    /// Returns the next token. Of equal logits the first is chosen.
    pub(crate) fn choose(&mut self, logits: &[f32]) -> u32 {
        let mut best = 0;
        for (token, logit) in logits.iter().enumerate() {
            if *logit > logits[best] {
                best = token;
            }
        }
        if self.temperature < 1e-4 {
            return best as u32;
        }
        let mut candidates: Vec<(usize, f32)> = logits
            .iter()
            .map(|logit| (logit - logits[best]) / self.temperature)
            .enumerate()
            .filter(|(_, log)| *log >= LOWEST_RELATIVE_LOG)
            .map(|(token, log)| (token, log.exp()))
            .collect();
        candidates.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        let total: f32 = candidates.iter().map(|(_, weight)| weight).sum();
        let mut kept = 0.0;
        let mut count = 0;
        for (_, weight) in &candidates {
            kept += weight;
            count += 1;
            if kept >= self.top_p * total {
                break;
            }
        }
        let mut point = self.random.f32() * kept;
        for (token, weight) in &candidates[..count] {
            point -= weight;
            if point < 0.0 {
                return *token as u32;
            }
        }
        best as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices(temperature: f32, top_p: f32, seed: u64) -> Vec<u32> {
        let mut sampler = Sampler::new(temperature, top_p, seed);
        (0..200)
            .map(|_| sampler.choose(&[1.0, 2.0, 1.9, -50.0]))
            .collect()
    }

    #[test]
    fn zero_temperature_is_greedy() {
        assert!(choices(0.0, 1.0, 1).iter().all(|token| *token == 1));
    }

    #[test]
    fn equal_seeds_choose_equally() {
        assert_eq!(choices(1.0, 1.0, 7), choices(1.0, 1.0, 7));
        assert_ne!(choices(1.0, 1.0, 7), choices(1.0, 1.0, 8));
    }

    #[test]
    fn top_p_excludes_improbable_tokens() {
        let all = choices(1.0, 1.0, 3);
        assert!((0..3).all(|token| all.contains(&token)) && !all.contains(&3));
        let top = choices(1.0, 0.6, 3);
        assert!(top.contains(&1) && top.contains(&2) && !top.contains(&0));
        assert!(choices(1.0, 0.0, 3).iter().all(|token| *token == 1));
    }
}
