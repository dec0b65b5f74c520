//! Tests of the VADER rules against figures of vaderSentiment 3.3.2, and against hostile texts.

use super::rules::{Valued, turn_at_but};
use super::{emoji, lexicon, polarity, round};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Texts with the compound figure that the Python package gives.
fn check(cases: &[(&str, f64)]) {
    for &(text, compound) in cases {
        assert_eq!(polarity(text).compound, compound, "{text:?}");
    }
}

#[test]
fn all_four_figures() {
    let cases = [
        ("", 0.0, 0.0, 0.0, 0.0, 0),
        (" \n ", 0.0, 0.0, 0.0, 0.0, 0),
        ("!!!", 0.0, 0.0, 1.0, 0.0, 0),
        ("The book was good.", 0.4404, 0.0, 0.508, 0.492, 1),
        ("VADER is VERY SMART, uber handsome, and FRIGGIN FUNNY!!!", 0.9469, 0.0, 0.294, 0.706, 3),
        ("Catch utf-8 emoji such as 💘 and 💋 and 😁", 0.875, 0.0, 0.583, 0.417, 3),
        ("good is the shit", -0.1779, 0.424, 0.235, 0.341, 2),
        ("great horrible!", 0.2244, 0.443, 0.0, 0.557, 2),
    ];
    for (text, compound, negative, neutral, positive, hits) in cases {
        let p = polarity(text);
        assert_eq!(
            (p.compound, p.negative, p.neutral, p.positive),
            (compound, negative, neutral, positive),
            "{text:?}"
        );
        assert_eq!(p.hits, hits, "{text:?}");
    }
}

#[test]
fn no_as_word_and_as_negation() {
    check(&[
        ("no", -0.296),
        ("there is no", -0.296),
        ("no good", -0.3412),
        ("no one good", -0.5583),
        ("no bad or good", 0.1139),
        ("no bad nor good", 0.5981),
        ("no bad and good", 0.6956),
    ]);
}

#[test]
fn negations() {
    check(&[
        ("it is not good", -0.3412),
        ("it ISN'T good", -0.3412),
        ("it isn’t good", 0.4404),
        ("uh-uh good", -0.3412),
        ("it rarely was good", -0.3412),
        ("not not good", 0.2594),
        ("nope nope nope good", -0.195),
        ("not good not bad", -0.5824),
        ("it was never good", -0.3412),
        ("it was never so good", 0.6626),
        ("without good", -0.3412),
        ("without doubt good", 0.6136),
        ("without any doubt good", 0.6136),
    ]);
    // Three words on, "so" and "this" raise without any "never".
    check(&[("this is just so bad", -0.6696), ("he did it so good", 0.5777), ("was never this good", 0.6084)]);
}

#[test]
fn least() {
    check(&[
        ("least good", -0.3412),
        ("it was least good", -0.3412),
        ("at least good", 0.4404),
        ("very least good", 0.4902),
        ("the least good", -0.3412),
    ]);
}

#[test]
fn phrases_need_three_words_before() {
    check(&[
        ("the shit", -0.5574),
        ("it is the shit", 0.6124),
        ("good is the shit", -0.1779),
        ("i say that kiss of death", -0.6124),
        ("the bus stop is here", -0.296),
        ("we are at the bus stop", 0.0),
        ("oh well that yeah right", -0.2263),
        ("it is just so bad ass", 0.6124),
        ("kind of good", 0.4404),
        ("it is KIND OF good", 0.3832),
        ("sort of good", 0.4404),
        ("the thing is sort of bad", -0.5849),
        ("just enough good", 0.4404),
        ("the one just enough good", 0.3832),
        ("kind", 0.5267),
        ("kind of", 0.0),
        ("fed up", 0.0),
    ]);
}

#[test]
fn boosters_and_capitals() {
    check(&[
        ("very good", 0.4927),
        ("very bad", -0.5849),
        ("kinda good", 0.3832),
        ("kind-of good", 0.3832),
        ("VERY good", 0.6028),
        ("VERY bad", -0.6732),
        ("very VERY good", 0.6375),
        ("GOOD day", 0.5622),
        ("GOOD DAY", 0.4404),
        ("GOOD :)", 0.7672),
        ("STRASSE GOOD", 0.4404),
        ("Straße GOOD", 0.5622),
        ("\u{130} GOOD", 0.4404),
        ("\u{131} GOOD", 0.5622),
        ("\u{1c5} GOOD", 0.5622),
    ]);
}

#[test]
fn but_changes_the_first_word_of_the_same_value() {
    check(&[
        ("good but bad", -0.5859),
        ("good good but good", 0.775),
        ("good but good but bad", 0.0129),
        ("good bad but bad good", -0.296),
        ("good great but but good great", 0.9325),
        ("bad good but good bad bad", -0.7876),
        (&"good bad but great awful ".repeat(40), 0.9921),
    ]);
}

#[test]
fn both_ways_at_but_agree() {
    // The long way starts at 49 values; the plain search is done here by hand.
    for length in [49, 50, 97, 400] {
        for (but, kinds) in [(0, 3), (length / 2, 2), (length / 3, 7), (length, 1)] {
            let values =
                (0..length).map(|at| Valued { at, value: [1.0, 0.5, -2.0, 1.5, 3.0, 0.75, -1.0][at * 5 % kinds] });
            let mut fast: Vec<Valued> = values.collect();
            let mut plain = fast.clone();
            for step in 0..length {
                let wanted = plain[step].value;
                let first = plain.iter_mut().find(|word| word.value == wanted).unwrap();
                first.value *= if first.at < but { 0.5 } else { 1.5 };
            }
            turn_at_but(&mut fast, but);
            assert_eq!(fast, plain, "{length} {but}");
        }
    }
}

#[test]
fn punctuation() {
    check(&[
        ("good?", 0.4404),
        ("good??", 0.504),
        ("good???", 0.533),
        ("good????", 0.594),
        ("good!", 0.4926),
        ("good!!!!!!", 0.6209),
        ("it was bad??!", -0.6312),
        ("so?!", 0.0),
        ("''good''", 0.4404),
        (":D", 0.5106),
        ("(:", 0.4939),
        ("(ok)", 0.0),
        ("'ok'", 0.0),
        ("O_o", -0.128),
    ]);
}

#[test]
fn emoji_become_their_names() {
    check(&[
        ("❤ it", 0.6369),
        // The variation selector stays and is glued to "heart".
        ("❤\u{fe0f} it", 0.0),
        ("💔", 0.2732),
        ("good💘day", 0.7964),
        ("good 😀good", 0.6597),
        ("ok 👍🏽", 0.296),
        // Its name is "ON! arrow".
        ("🔛 good", 0.4926),
        ("a 😁😁", 0.7184),
    ]);
    let face = "beaming face with smiling eyes";
    assert_eq!(emoji::spell_out("a😁b 😁\t😁é"), format!("a {face}b  {face}\t {face}é"));
}

#[test]
fn white_space_and_letters_of_python() {
    check(&[
        ("good\u{1c}bad", -0.1531),
        ("good\u{85}bad", -0.1531),
        ("good\u{2003}bad", -0.1531),
        ("good\u{3000}bad", -0.1531),
        ("good\u{200b}bad", 0.0),
        ("good\0", 0.0),
        ("\u{212a}iller", -0.6486),
        ("\u{212a}ind\u{212a}", 0.0),
        (":-\u{de}", 0.0),
    ]);
}

#[test]
fn rounding_of_python() {
    let cases =
        [(0.00005, 0.0001), (0.12345, 0.1235), (0.03125, 0.0312), (0.99995, 1.0), (0.40625, 0.4062), (0.00015, 0.0001)];
    for (value, rounded) in cases {
        assert_eq!(round(value, 10_000.0), rounded, "{value}");
        assert_eq!(round(-value, 10_000.0), -rounded, "-{value}");
    }
    assert_eq!((round(0.0625, 1000.0), round(0.0005, 1000.0), round(0.40625, 1000.0)), (0.062, 0.001, 0.406));
    assert!(round(-0.00001, 10_000.0).is_sign_negative());
}

#[test]
fn data_files_parse() {
    assert_eq!(lexicon::rows().count(), 7520);
    assert_eq!(emoji::rows().count(), 1212);
    assert!(emoji::rows().all(|(emoji, name)| emoji.chars().count() == 1 && emoji::spell_out(emoji).trim() == name));
    assert!(lexicon::rows().all(|(word, valence)| (-4.0..=4.0).contains(&valence) && word.len() <= lexicon::LONGEST));
    // Of equal words the last one holds.
    let words: HashMap<&str, f64> = lexicon::rows().collect();
    assert_eq!(words.len(), 7506);
    for (word, valence) in words {
        // Capitals are never looked up, and no word of a text has a space.
        if word.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase()) {
            let found = lexicon::find(word.as_bytes(), word.len()).filter(|found| found.listed);
            assert_eq!(found.map(|found| found.valence), Some(valence), "{word}");
        }
    }
    assert!(lexicon::find(b"", 0).is_none() && lexicon::find(b"good\0", 5).is_none());
}

#[test]
fn hostile_texts_take_linear_time() {
    let parts = [
        "good but ",
        "but good bad ",
        ":) but ",
        "x ",
        "s ",
        "no ",
        "not ",
        "so ",
        "n't ",
        "!",
        "?",
        "'",
        "a",
        "n'",
        "😁",
        "😁 ",
        "K\u{212a}",
        "\u{212a}",
        "\u{130}",
        "Σ",
        "\u{85}",
        "\u{3000}",
        "\u{10ffff}",
        "\0",
        "the shit ",
        "kind of ",
        "e\u{301}",
        "GOOD ",
        "'😁",
        "\u{1f468}\u{200d}",
    ];
    for part in parts {
        let text = part.repeat(65_536 / part.len());
        let start = Instant::now();
        let p = polarity(&text);
        assert!(start.elapsed() < Duration::from_secs(1), "{part:?} took {:?}", start.elapsed());
        assert!((-1.0..=1.0).contains(&p.compound), "{part:?}");
        let shares = p.negative + p.neutral + p.positive;
        assert!((shares - 1.0).abs() < 0.003 || shares == 0.0, "{part:?} {shares}");
    }
}

#[test]
fn any_cut_of_a_text_is_scored() {
    let text = "I DON'T like 😁it\u{85}n't (\u{212a}ind of) Ω but:) \u{3000}no 'shit'!? ❤\u{fe0f}";
    let cuts: Vec<usize> = (0..=text.len()).filter(|&at| text.is_char_boundary(at)).collect();
    for (place, &from) in cuts.iter().enumerate() {
        for &to in &cuts[place..] {
            assert!(polarity(&text[from..to]).compound.abs() <= 1.0);
        }
    }
}
