//! Numbers for people: short forms with units, and reading them back.

/// `0.4`, `42`, `9.1k`, `101k`, `4.1M`: three significant digits at most.
pub fn short(x: f64) -> String {
    if !x.is_finite() {
        return "unknown".to_string();
    }
    let (value, unit) = match x.abs() {
        a if a >= 999_500_000.0 => (x / 1e9, "G"),
        a if a >= 999_500.0 => (x / 1e6, "M"),
        a if a >= 999.5 => (x / 1e3, "k"),
        _ => (x, ""),
    };
    if value != 0.0 && value.abs() < 0.095 {
        return if value.abs() < 0.001 { format!("{value:.0e}") } else { format!("{value:.3}") };
    }
    let digits = if value.abs() >= 9.95 || value == value.round() { 0 } else { 1 };
    format!("{value:.digits$}{unit}")
}

/// `84 %`.
pub fn percent(share: f64) -> String {
    if share > 0.0 && share < 0.01 { "< 1 %".to_string() } else { format!("{:.0} %", share * 100.0) }
}

/// `6.3x`, `120x`.
pub fn times(x: f64) -> String {
    if x >= 99.5 { format!("{}x", short(x)) } else { format!("{x:.1}x") }
}

/// A return period in seconds as people say it: `once in 9 days`, `more than once a day`.
pub fn return_period(seconds: f64) -> String {
    let days = seconds / 86_400.0;
    match days {
        d if d.is_nan() => "unknown".to_string(),
        d if d < 1.0 => "more than once a day".to_string(),
        d if d < 1.5 => "once a day".to_string(),
        d if d < 60.0 => format!("once in {d:.0} days"),
        d if d < 730.0 => format!("once in {:.0} months", d / 30.4),
        d if d < 36_525.0 => format!("once in {:.0} years", d / 365.25),
        _ => "once in a century or less".to_string(),
    }
}

/// `1 account`, `23 accounts`.
pub fn count(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

/// Reads `12`, `0.5`, `250k`, `1.5M`, `40%`. `None` for anything else.
pub fn number(s: &str) -> Option<f64> {
    let (digits, scale) = match s.as_bytes().last()? {
        b'k' | b'K' => (s.get(..s.len() - 1)?, 1e3),
        b'M' => (s.get(..s.len() - 1)?, 1e6),
        b'%' => (s.get(..s.len() - 1)?, 0.01),
        _ => (s, 1.0),
    };
    let plain = digits.bytes().all(|c| c.is_ascii_digit() || c == b'.');
    let x: f64 = digits.parse().ok()?;
    (plain && x.is_finite()).then_some(x * scale)
}

/// Reads `90s`, `10m`, `1h`, `1.5d`, `250ms` into seconds. `None` for anything else.
pub fn seconds(s: &str) -> Option<f64> {
    let cut = s.find(|c: char| c.is_ascii_alphabetic())?;
    let (digits, unit) = s.split_at(cut);
    let scale = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        "w" => 604_800.0,
        _ => return None,
    };
    number(digits).filter(|_| !digits.ends_with(['k', 'K', 'M', '%'])).map(|x| x * scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms() {
        let cases = [
            (0.0, "0"),
            (0.44, "0.4"),
            (0.0167, "0.017"),
            (0.000_03, "3e-5"),
            (42.0, "42"),
            (999.0, "999"),
            (9_120.0, "9.1k"),
            (101_234.0, "101k"),
            (4_100_000.0, "4.1M"),
            (999_600.0, "1.0M"),
            (2e9, "2G"),
        ];
        for (x, s) in cases {
            assert_eq!(short(x), s);
        }
        assert_eq!(short(f64::NAN), "unknown");
    }

    #[test]
    fn reads_units() {
        assert_eq!(number("250k"), Some(250_000.0));
        assert_eq!(number("40%"), Some(0.4));
        assert_eq!((number("1e9"), number("inf"), number("k"), number("-1")), (None, None, None, None));
        assert_eq!(seconds("1.5d"), Some(129_600.0));
        assert_eq!(seconds("10m"), Some(600.0));
        assert_eq!((seconds("10"), seconds("10kk"), seconds("5min"), seconds("1ks")), (None, None, None, None));
    }
}
