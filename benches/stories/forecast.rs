//! Errors of the forecast on recorded cascades: calibrated on one half of them, tested on the other.

use std::path::{Path, PathBuf};

use groundswell::base::model::{Outlook, StoryState};
use groundswell::fold::forecast::{Followers, Forecast, Model};

const AGES: [(f64, &str); 6] =
    [(600.0, "10m"), (1800.0, "30m"), (3600.0, "1h"), (10_800.0, "3h"), (21_600.0, "6h"), (86_400.0, "1d")];
/// Goals of the design: median error.
const GOALS: [(&str, f64); 2] = [("1h", 0.25), ("3h", 0.15)];

/// The same calibration as the service's, fitted on every second cascade only, beginning with the first.
const HALF: Model = Model {
    rest: [0.71999, -0.600808, 0.574982, 0.349998, -0.011206],
    low: [-0.851053, 0.229603, 0.553789],
    high: [1.047745, 0.497856, 3.158334],
    followers_low: [-1.26037, -0.251872, 0.927034],
    followers_high: [1.698263, 0.202151, 3.223592],
    soon: [-0.73907, 0.313002, 0.222295],
};

/// Times and followers, the post first.
type Cascade = Vec<(f64, u64)>;

fn cascades(folder: &Path) -> Vec<Cascade> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|p| p.extension().is_some_and(|e| e == "csv"));
    files.sort();
    let row = |line: &str| {
        let (seconds, followers) = line.split_once(',').unwrap();
        (seconds.trim().parse().unwrap(), followers.trim().parse::<f64>().unwrap() as u64)
    };
    files.iter().map(|p| std::fs::read_to_string(p).unwrap().lines().skip(1).map(row).collect()).collect()
}

/// What is expected at an age, by what was seen until then.
fn seen(c: &Cascade, age: f64, model: &Model) -> Option<Outlook> {
    let mut f = Forecast::default();
    let of = |count: u64| Followers { count, known: true };
    f.expose(0.0, of(c.first()?.1));
    c.iter().skip(1).filter(|(t, _)| *t <= age).for_each(|(t, n)| f.share(*t, of(*n)));
    f.outlook_by(model, age)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Shares so far and in the end.
fn counts(c: &Cascade, age: f64) -> (f64, f64) {
    let shares = || c.iter().skip(1);
    (shares().filter(|(t, _)| *t <= age).count() as f64, shares().count() as f64)
}

/// SEISMIC's own end: what is out is seen by all, each share brings the same again, at most 0.8.
fn seismic(o: &Outlook) -> f64 {
    const AUDIENCE: f64 = 100.0;
    o.shares as f64 + o.infectiousness / AUDIENCE * o.exposure / (1.0 - o.infectiousness.min(0.8))
}

fn line(label: &str, test: &[&Cascade], train: &[&Cascade], model: &Model) {
    println!("{label}");
    println!(
        "{:>6} {:>8} {:>9} {:>8} {:>9} {:>8} {:>9} {:>7}",
        "age", "model", "constant", "SEISMIC", "seen", "in band", "high/low", "reach"
    );
    for (age, name) in AGES {
        let factor =
            median(train.iter().map(|c| counts(c, age)).filter(|(r, _)| *r > 0.0).map(|(r, f)| f / r).collect());
        let rows: Vec<(&Cascade, Outlook)> = test.iter().filter_map(|c| Some((*c, seen(c, age, model)?))).collect();
        let error = |of: &dyn Fn(&Outlook) -> f64| {
            median(
                rows.iter()
                    .map(|(c, o)| {
                        let end = counts(c, age).1;
                        (of(o) - end).abs() / end
                    })
                    .collect(),
            )
        };
        let inside =
            rows.iter().filter(|(c, o)| (o.final_shares.low..=o.final_shares.high).contains(&counts(c, age).1)).count();
        let reach = median(
            rows.iter()
                .map(|(c, o)| {
                    let all: f64 = c.iter().skip(1).map(|(_, n)| *n as f64).sum();
                    let so_far: f64 = c.iter().skip(1).filter(|(t, _)| *t <= age).map(|(_, n)| *n as f64).sum();
                    (so_far + o.followers_to_come.mid - all).abs() / all
                })
                .collect(),
        );
        let model = error(&|o| o.final_shares.mid);
        let constant = error(&|o| o.shares as f64 * factor);
        let goal = GOALS
            .iter()
            .find(|(n, _)| *n == name)
            .map_or(String::new(), |(_, g)| format!("  goal {g}{}", if model <= *g { "" } else { ": missed" }));
        let worse = if model >= constant { "  no better than the constant" } else { "" };
        println!(
            "{name:>6} {model:>8.3} {constant:>9.3} {:>8.3} {:>9.3} {:>7.0}% {:>9.1} {reach:>7.3}{goal}{worse}",
            error(&seismic),
            error(&|o| o.shares as f64),
            100.0 * inside as f64 / rows.len().max(1) as f64,
            median(rows.iter().map(|(_, o)| o.final_shares.high / o.final_shares.low).collect()),
        );
    }
}

/// How many are called what, and how much those then really grow; beside what n*p alone would call them.
fn states(all: &[&Cascade]) {
    println!("states: how many, and by what factor they grow to their end (median)");
    for (age, name) in AGES {
        let rows: Vec<(Outlook, f64)> = all
            .iter()
            .filter_map(|c| {
                let (seen_so_far, end) = counts(c, age);
                Some((seen(c, age, &Model::STANDARD)?, end / seen_so_far))
            })
            .collect();
        let of = |call: &dyn Fn(&Outlook) -> StoryState| {
            let shown = StoryState::ALL.map(|state| {
                let growth: Vec<f64> = rows.iter().filter(|(o, _)| call(o) == state).map(|(_, g)| *g).collect();
                let factor = if growth.is_empty() { "-".to_string() } else { format!("{:.2}", median(growth.clone())) };
                format!("{} {} x{factor}", growth.len(), state.name())
            });
            shown.join(", ")
        };
        let by_infectiousness = |o: &Outlook| match o.infectiousness {
            b if b >= 1.0 => StoryState::Explosive,
            b if b >= 0.8 => StoryState::Critical,
            _ => StoryState::Dying,
        };
        println!("{name:>6}  {:<58} n*p: {}", of(&|o| o.state), of(&by_infectiousness));
    }
}

pub fn table() {
    let Some(folder) = std::env::var_os("GROUNDSWELL_CASCADES").map(PathBuf::from) else {
        println!("forecast: left out, GROUNDSWELL_CASCADES names no folder of cascades");
        return;
    };
    let all = cascades(&folder);
    let half = |odd: usize| all.iter().skip(odd).step_by(2).collect::<Vec<_>>();
    println!(
        "median absolute error of final shares, {} cascades; the constant is the median growth of the other half",
        all.len()
    );
    line("calibrated on the first half (every second file), tested on the second:", &half(1), &half(0), &HALF);
    line(
        "the service's calibration, on all files it was made from (flattered):",
        &all.iter().collect::<Vec<_>>(),
        &half(0),
        &Model::STANDARD,
    );
    states(&all.iter().collect::<Vec<_>>());
}
