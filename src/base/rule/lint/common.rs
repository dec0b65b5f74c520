//! Words that stand in nearly every text, so that a query for one of them alone finds nearly
//! everything in its language.

/// Function words of English, German, French, Spanish, Portuguese, Italian, Dutch, Polish,
/// Swedish, Turkish and Indonesian, folded and sorted.
const WORDS: [&str; 268] = [
    "aan", "aber", "about", "akan", "ale", "alla", "als", "am", "ama", "an", "anche", "and", "ao", "are", "as", "at",
    "att", "au", "auch", "auf", "aus", "aux", "av", "avec", "be", "been", "bij", "bir", "bu", "but", "by", "can", "ce",
    "cette", "che", "co", "come", "como", "czy", "da", "dan", "dans", "dari", "das", "dass", "dat", "de", "del",
    "della", "dem", "den", "dengan", "der", "des", "det", "di", "did", "die", "du", "each", "een", "ein", "eine",
    "einem", "einen", "einer", "el", "ela", "ele", "elle", "em", "en", "er", "es", "est", "esta", "este", "et", "ett",
    "foi", "for", "from", "för", "für", "gibi", "gli", "had", "har", "has", "hat", "have", "hay", "he", "hem", "het",
    "him", "how", "ich", "if", "ihr", "ik", "il", "ile", "ils", "im", "in", "ini", "inte", "is", "isso", "ist", "it",
    "its", "itu", "için", "jag", "jak", "je", "jest", "juga", "ke", "la", "las", "le", "les", "lo", "los", "ma",
    "maar", "mais", "many", "mas", "me", "med", "men", "met", "mit", "muy", "my", "más", "na", "nach", "nas", "ne",
    "nel", "nicht", "nie", "niet", "no", "noch", "nog", "non", "nos", "not", "nous", "nur", "não", "och", "od", "oder",
    "of", "om", "on", "ook", "op", "or", "os", "ou", "our", "out", "pada", "par", "para", "pas", "pela", "pelo", "per",
    "pero", "più", "plus", "po", "por", "porque", "pour", "på", "quando", "que", "questo", "qui", "sa", "saya", "se",
    "ser", "ses", "she", "si", "sich", "sie", "sin", "sind", "się", "sobre", "som", "some", "son", "sono", "sont",
    "su", "sus", "sí", "tak", "también", "te", "than", "that", "the", "their", "them", "then", "there", "they", "this",
    "tidak", "till", "to", "tu", "um", "uma", "un", "una", "und", "une", "uno", "untuk", "van", "ve", "você", "von",
    "voor", "vous", "war", "was", "wat", "we", "wenn", "were", "what", "when", "which", "who", "wie", "will", "wir",
    "wird", "with", "would", "ya", "yang", "yes", "you", "your", "za", "zijn", "zou", "zu", "är", "çok", "że",
];

/// Whether a folded word is one of them, or a single letter or digit.
pub(super) fn is_common(word: &str) -> bool {
    let mut chars = word.chars();
    let single = chars.next().is_some_and(|c| c.is_alphanumeric() && c < '\u{2e80}') && chars.next().is_none();
    single || WORDS.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted_and_found() {
        assert!(WORDS.is_sorted_by(|a, b| a < b), "sorted, once each");
        for word in WORDS {
            assert!(word.chars().all(char::is_alphabetic) && word == word.to_lowercase(), "{word}");
        }
        for word in ["the", "de", "und", "x", "7", "é", "że"] {
            assert!(is_common(word), "{word}");
        }
        for word in ["acme", "apple", "next", "shell", "visa", "中", "ou812", "united", "", "&", "❤"] {
            assert!(!is_common(word), "{word}");
        }
    }
}
