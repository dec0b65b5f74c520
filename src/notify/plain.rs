//! Texts from outside, made harmless for one line of a terminal or log.

/// Shorter texts are no secrets.
const SHORTEST_SECRET: usize = 4;

/// The text on one line, without control and direction characters, cut to `chars`.
pub(crate) fn plain(text: &str, chars: usize) -> String {
    let mut out = String::new();
    let mut taken = 0;
    for word in text.split_whitespace() {
        if taken > 0 {
            out.push(' ');
            taken += 1;
        }
        for c in word.chars().filter(|c| !is_unsafe(*c)) {
            if taken >= chars {
                out.push('…');
                return out;
            }
            out.push(c);
            taken += 1;
        }
    }
    out
}

/// Control characters, and those that turn the direction of text round.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

/// What somebody said, with links that nobody follows by accident.
pub(super) fn quoted(text: &str, chars: usize) -> String {
    plain(text, chars).replace("://", "[:]//")
}

/// What a server said: on one line, short, and without our secrets, which servers like to repeat.
pub(super) fn harmless(text: &str, secrets: &[String], chars: usize) -> String {
    let without = secrets.iter().fold(text.to_string(), |t, s| t.replace(s.as_str(), "[secret]"));
    plain(&without, chars)
}

/// Secrets as they are looked for in what servers say: no short ones, which would only make it unreadable, and the
/// longest first.
pub(super) fn sought(mut secrets: Vec<String>) -> Vec<String> {
    secrets.retain(|s| s.len() >= SHORTEST_SECRET);
    secrets.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    secrets.dedup();
    secrets
}

/// A link that nobody follows by accident.
pub(super) fn defanged(url: &str) -> String {
    let shown = plain(url, 200);
    match shown.split_at_checked(4) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => format!("hxxp{}", rest.replace("://", "[:]//")),
        _ => shown.replace("://", "[:]//"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_escapes_to_the_terminal() {
        assert_eq!(plain("a\n\x1b[31mred\x07 \u{202e}b", 100), "a [31mred b");
        assert_eq!(plain("abcdef", 3), "abc…");
        assert_eq!(defanged("https://x.example/a"), "hxxps[:]//x.example/a");
        assert_eq!(defanged("HTTPS://x.example/a"), "hxxpS[:]//x.example/a");
        let secrets = sought(["abc", "hunter2 and more", "hunter2", "hunter2"].map(str::to_string).to_vec());
        assert_eq!(secrets, ["hunter2 and more", "hunter2"]);
        assert_eq!(harmless("no\nhunter2, hunter2 and more, abc", &secrets, 100), "no [secret], [secret], abc");
        assert_eq!(quoted("see https://x.example/a now", 100), "see https[:]//x.example/a now");
    }
}
