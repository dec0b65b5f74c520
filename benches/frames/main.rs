//! Writes generated Jetstream frames (`--out`, `-` for standard output) and rules that watch the
//! brands in them (`--rules-out`). For benches, for the instruction count, and for trying out
//! how much a machine can take:
//!
//! `cargo run --release --example frames -- --count 1000000 --out /tmp/frames.ndjson --rules-out /tmp/rules.yaml`

use std::fs::File;
use std::io::{self, BufWriter, Write};

#[path = "mod.rs"]
mod frames;

use frames::{Frames, Recipe, rules};

fn main() -> io::Result<()> {
    let mut recipe = Recipe::default();
    let (mut count, mut out, mut rules_out) = (100_000u64, "-".to_string(), None);
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next().unwrap_or_default();
        let number = || {
            value.parse::<f64>().map_err(|_| io::Error::other(format!("expected a number after {name}, found {value}")))
        };
        match name.as_str() {
            "--count" => count = number()? as u64,
            "--seed" => recipe.seed = number()? as u64,
            "--brands" => recipe.brands = number()? as usize,
            "--per-second" => recipe.per_second = number()? as u64,
            "--naming" => recipe.naming = number()?,
            "--out" => out = value,
            "--rules-out" => rules_out = Some(value),
            _ => {
                return Err(io::Error::other(format!(
                    "expected --count, --seed, --brands, --per-second, --naming, --out or --rules-out, found {name}"
                )));
            }
        }
    }
    if let Some(path) = rules_out {
        std::fs::write(path, rules(recipe.brands))?;
    }
    let mut sink: Box<dyn Write> =
        if out == "-" { Box::new(io::stdout().lock()) } else { Box::new(File::create(out)?) };
    let (mut sink, mut frames, mut line) = (BufWriter::new(&mut sink), Frames::new(recipe), String::new());
    for _ in 0..count {
        line.clear();
        frames.frame(&mut line);
        line.push('\n');
        sink.write_all(line.as_bytes())?;
    }
    sink.flush()
}
