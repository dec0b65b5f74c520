//! Where the comparisons of an expression begin: trees do not remember it.

use super::lex::{Token, tokens};

/// The byte at which each comparison begins, in the order written. Empty for what cannot be read.
pub fn comparison_starts(text: &str) -> Vec<usize> {
    let Ok(tokens) = tokens(text) else { return Vec::new() };
    let (mut out, mut outer) = (Vec::new(), Vec::new());
    let (mut start, mut braces) = (None, 0usize);
    for (at, token) in &tokens {
        match token {
            Token::Sign("{") => braces += 1,
            Token::Sign("}") => braces = braces.saturating_sub(1),
            _ if braces > 0 => {}
            Token::Word("and" | "or" | "not" | "unless" | "then") => start = None,
            Token::Sign("<" | "<=" | ">" | ">=" | "==" | "!=") => out.push(start.unwrap_or(*at)),
            Token::Sign("(") => {
                outer.push(start.unwrap_or(*at));
                start = None;
            }
            Token::Sign(")") => start = outer.pop().or(start),
            _ => start = start.or(Some(*at)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_are_found_where_they_begin() {
        let text =
            "a{tone=\"x\", followers>=5}[1h] > 1 and not ((b[1h] + 2) * 3 < 4 or rate(c[1h]) >= 5) unless d == 1";
        let found: Vec<&str> = comparison_starts(text).iter().map(|at| &text[*at..*at + 2]).collect();
        assert_eq!(found, ["a{", "(b", "ra", "d "]);
        assert!(comparison_starts("a > \"").is_empty() && comparison_starts(")))(((").is_empty());
    }
}
