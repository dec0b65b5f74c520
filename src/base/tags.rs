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
    if body.tags.is_empty() && !body.text.bytes().any(|b| b == b'#' || !b.is_ascii()) {
        return out;
    }
    let text = fold(&body.text);
    let mut before = None;
    for (at, c) in text.char_indices() {
        // behind these it is an escape or a part of a link
        let begins = c == '#' && before.is_none_or(|b: char| !is_word(b) && !matches!(b, '&' | '/' | '#'));
        before = Some(c);
        if begins && let Some(rest) = text.get(at + 1..) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            add(&mut out, rest.get(..end).unwrap_or(rest));
        }
    }
    for tag in &body.tags {
        add(&mut out, fold(tag).trim_start_matches('#'));
    }
    out
}

fn add(out: &mut Tags, tag: &str) {
    let sound = tag.len() <= limits::TAG_BYTES && tag.chars().any(char::is_alphabetic);
    if sound && out.len() < limits::TAGS_SEEN && !out.iter().any(|t| **t == *tag) {
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
    fn tags_are_found_in_texts_and_beside_them() {
        assert_eq!(
            of("never again #BoycottAcme, #boycottacme! (#NoFly)", &["NoFly", "#Third"]),
            ["boycottacme", "nofly", "third"]
        );
        assert_eq!(of("＃ＦＵＬＬ wide, #ça #日本語", &[]), ["full", "ça", "日本語"]);
        assert_eq!(of("it&#39;s x.example/#part a#b ##c #1 # alone #", &["", "#"]), ["c"; 0]);
        assert_eq!(of("nothing here", &[]), [""; 0]);
        let many: String = (0..100).map(|i| format!("#t{i} ")).collect();
        assert_eq!(of(&many, &[]).len(), limits::TAGS_SEEN);
        assert_eq!(of(&format!("#{}", "x".repeat(1000)), &[]), [""; 0]);
    }
}
