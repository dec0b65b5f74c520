//! Words for what a post is, the same in every format that tells it with one.

use crate::base::model::PostKind;

/// What a word says of a post.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Word {
    /// It is a new post of this kind.
    Is(PostKind),
    /// It replaces an earlier version of itself.
    Edit,
    /// It is gone.
    Delete,
}

impl Word {
    /// What a word says; `None` for one that is not known.
    pub(super) fn of(word: &str) -> Option<Word> {
        match word {
            "edit" => Some(Word::Edit),
            "delete" => Some(Word::Delete),
            _ => PostKind::ALL.into_iter().find(|kind| kind.name() == word).map(Word::Is),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::model::FieldMap;

    #[test]
    fn every_word_of_a_field_map_is_known() {
        assert!(FieldMap::KIND_WORDS.iter().all(|w| Word::of(w).is_some()));
        assert_eq!(Word::of("repost"), Some(Word::Is(PostKind::Repost)));
        assert_eq!((Word::of("Post"), Word::of("")), (None, None));
    }
}
