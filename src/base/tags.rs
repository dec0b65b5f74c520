//! Hashtags of a post, in one form for all spellings.

use smallvec::SmallVec;

use crate::base::folding::{fold, is_word};
use crate::base::limits;
use crate::base::model::PostBody;

/// Tags of one post.
pub type Tags = SmallVec<[Box<str>; 2]>;

/// The hashtags in a post's text and beside it, folded, without `#`, each once and in order, at most
/// [`limits::TAGS_SEEN`]. A tag needs a letter: `#1` is none.
pub fn tags_of(body: &PostBody) -> Tags {
    let mut out = Tags::new();
    if has_sign(&body.text) {
        of_text(&fold(&body.text), &mut out);
    }
    for tag in &body.tags {
        add(&mut out, fold(tag).trim_start_matches('#'));
    }
    out
}

/// A hashtag in the form that all its spellings have, with `#` or without; `None` for what is no hashtag.
pub fn tag_of(text: &str) -> Option<String> {
    let folded = fold(text);
    let tag = folded.trim_start_matches('#');
    (is_tag(tag) && tag.chars().all(is_word)).then(|| tag.to_string())
}

/// Whether a text holds `#` in any form that folding makes one. Most texts do not, and need no folding.
fn has_sign(text: &str) -> bool {
    memchr::memchr(b'#', text.as_bytes()).is_some()
        || memchr::memchr_iter(b'\xef', text.as_bytes())
            .any(|at| text.get(at..).is_some_and(|t| t.starts_with(['\u{ff03}', '\u{fe5f}'])))
}

fn of_text(text: &str, out: &mut Tags) {
    for (at, _) in text.match_indices('#') {
        let (before, rest) = (text.get(..at).unwrap_or(""), text.get(at + 1..).unwrap_or(""));
        // behind these it is an escape or a part of a link
        if before.chars().next_back().is_none_or(|b| !is_word(b) && !matches!(b, '&' | '/' | '#')) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            add(out, rest.get(..end).unwrap_or(rest));
        }
    }
}

fn is_tag(tag: &str) -> bool {
    tag.len() <= limits::TAG_BYTES && tag.chars().any(char::is_alphabetic)
}

fn add(out: &mut Tags, tag: &str) {
    if is_tag(tag) && out.len() < limits::TAGS_SEEN && !out.iter().any(|t| **t == *tag) {
        out.push(tag.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, tags: &[&str]) -> Vec<String> {
        let body = PostBody {
            source: "s".into(),
            id: "".into(),
            author: "".into(),
            author_name: None,
            text: text.into(),
            lang: None,
            url: None,
            links: Box::default(),
            tags: tags.iter().map(|t| Box::from(*t)).collect(),
        };
        tags_of(&body).iter().map(|t| t.to_string()).collect()
    }

    #[test]
    fn every_character_that_folds_to_the_sign_is_seen() {
        for c in (char::MIN..=char::MAX).filter(|c| fold(c.encode_utf8(&mut [0; 4])).contains('#')) {
            assert!(has_sign(&format!("ａ{c}ｂ")), "{:x}", u32::from(c));
        }
        assert!(!has_sign("ＡＢ “plain”"));
    }

    #[test]
    fn tags_are_found_in_texts_and_beside_them() {
        assert_eq!(
            of("never again #BoycottAcme, #boycottacme! (#NoFly)", &["NoFly", "#Third"]),
            ["boycottacme", "nofly", "third"]
        );
        assert_eq!(of("＃ＦＵＬＬ wide, #ça #日本語", &[]), ["full", "ça", "日本語"]);
        assert_eq!(of("it&#39;s x.example/#part a#b ##c #1 # alone #", &["", "#"]), ["c"; 0]);
        assert_eq!(of("nothing here", &[]), [""; 0]);
        assert_eq!(
            ["#Straße", "ＮｏＦｌｙ", "#1", "a-b", ""].map(tag_of),
            [Some("strasse".into()), Some("nofly".into()), None, None, None]
        );
        let many: String = (0..100).map(|i| format!("#t{i} ")).collect();
        assert_eq!(of(&many, &[]).len(), limits::TAGS_SEEN);
        assert_eq!(of(&format!("#{}", "x".repeat(1000)), &[]), [""; 0]);
    }
}
