//! The curves as a picture: one row per kind of data, with the function's time on the left and that of Redis on the
//! right.

use std::path::Path;
use std::time::Duration;

use plotters::prelude::*;

use crate::cost::{Cost, Curve, Growth};

const SIZE: (u32, u32) = (1_000, 1_440);
const Y_RANGE: std::ops::Range<f64> = 10.0..3_000.0;
/// Colours that people with red-green colour blindness can distinguish.
const COLORS: [RGBColor; 8] = [
    RGBColor(0, 0, 0),
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(180, 140, 0),
    RGBColor(90, 90, 90),
];

pub fn draw(file: &Path, growths: &[Growth]) {
    let root = SVGBackend::new(file, SIZE).into_drawing_area();
    root.fill(&WHITE).unwrap();
    let cells = root.split_evenly((growths.len(), 2));
    for (growth, row) in growths.iter().zip(cells.chunks(2)) {
        draw_half(&row[0], growth, "function", |cost| cost.function);
        draw_half(&row[1], growth, "Redis", |cost| cost.redis);
    }
    root.present().unwrap();
}

fn draw_half(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    growth: &Growth,
    whose: &str,
    part: fn(&Cost) -> Duration,
) {
    let point = |&(size, ref cost): &(usize, Cost)| {
        let size = f64::from(u32::try_from(size).unwrap());
        (size, part(cost).as_secs_f64() * 1e6)
    };
    let points = |curve: &Curve| curve.costs.iter().map(point).collect::<Vec<_>>();
    let largest = growth.curves[0]
        .costs
        .last()
        .map_or(10.0, |last| point(last).0);
    let mut chart = ChartBuilder::on(area)
        .caption(
            format!("{whose}: µs per request, by {}", growth.unit),
            ("sans-serif", 16),
        )
        .margin(12)
        .margin_right(28)
        .x_label_area_size(28)
        .y_label_area_size(48)
        .build_cartesian_2d((10.0..largest).log_scale(), Y_RANGE.log_scale())
        .unwrap();
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.15))
        .label_style(("sans-serif", 12))
        .x_label_formatter(&|number| number.to_string())
        .y_label_formatter(&|number| number.to_string())
        .draw()
        .unwrap();
    for (curve, color) in growth.curves.iter().zip(COLORS) {
        let style = color.stroke_width(2);
        let _ = chart
            .draw_series(LineSeries::new(points(curve), style))
            .unwrap()
            .label(curve.route)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
        let circles = points(curve)
            .into_iter()
            .map(|center| Circle::new(center, 3, color.filled()));
        let _ = chart.draw_series(circles).unwrap();
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .label_font(("sans-serif", 12))
        .draw()
        .unwrap();
}
