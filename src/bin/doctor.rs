//! The connection check.

fn main() {}
