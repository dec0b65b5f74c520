//! What invented people say: sentences of three interchangeable parts, so that thousands of texts differ as those
//! of people do. The scorer judges them as they are meant; a test holds that.

use crate::base::model::Tone;

/// Beginning, middle and end.
type Parts = [[&'static str; 12]; 3];

const HOSTILE: Parts = [
    [
        "I am so angry:",
        "this is a warning to everybody,",
        "ugly and horrible,",
        "once again a disaster,",
        "my weekend is ruined because",
        "three weeks of misery and",
        "what a nightmare,",
        "shame on them,",
        "furious does not describe it,",
        "crying in the car park because",
        "no words, only rage:",
        "this scandal has a name:",
    ],
    [
        "lost both of our suitcases on monday",
        "broke the neck of my guitar",
        "charged the same invoice four times",
        "cancelled the order on christmas eve",
        "kept an old man standing in the rain",
        "hung up on my mother twice",
        "sent the wrong parts to the hospital",
        "left the whole street in the dark",
        "gave away my address to a stranger",
        "towed the van of our band",
        "let the medicine spoil in a warehouse",
        "threw my daughter off the bus",
    ],
    [
        "this is a disgrace, I hate it",
        "the worst and most awful people in the business",
        "disgusting liars, every one of them",
        "terrible, horrible, never again",
        "they are crooks and cheat the poor",
        "boycott this pathetic and rotten outfit",
        "absolutely disgusting and cruel behaviour",
        "such a stupid and ugly lie",
        "what an awful and abusive bunch",
        "criminal, and I am sick of it",
        "an insult, a terrible insult",
        "we were betrayed and it hurts badly",
    ],
];

const NEUTRAL: Parts = [
    [
        "on the way to work I saw",
        "my neighbour asked me about",
        "there is a new poster of",
        "at half past seven",
        "the radio talked about",
        "does anybody here know whether",
        "according to the timetable",
        "in the second picture you see",
        "since tuesday",
        "for the record,",
        "a colleague wrote that",
        "next to the station",
    ],
    [
        "opens at nine on weekdays",
        "has moved to another building",
        "prints the year on the back",
        "delivers to the islands on thursdays",
        "changed the colour of the boxes",
        "counts eleven branches now",
        "uses the smaller envelopes",
        "sends a letter every quarter",
        "sits behind the blue door",
        "starts the season in october",
        "puts the manual on its site",
        "hires people for the autumn",
    ],
    [
        "and the bus was full of students",
        "while the kettle boils",
        "as the notice in the hall says",
        "though I only read half of it",
        "and the weather report comes next",
        "if I remember the page correctly",
        "so the list gets one more line",
        "before the meeting at four",
        "and now it is raining over the harbour",
        "which takes about twenty minutes",
        "and then we went up the hill",
        "between the bakery and the bridge",
    ],
];

const FRIENDLY: Parts = [
    [
        "what a lovely surprise,",
        "so happy today:",
        "credit where it is due,",
        "big smile on my face,",
        "I have to praise them,",
        "wonderful news,",
        "my faith is restored,",
        "thank you so much,",
        "a great start into the week,",
        "I am grateful:",
        "well done,",
        "best thing this month,",
    ],
    [
        "found my hat and mailed it back",
        "answered on a sunday evening",
        "repaired the old radio at once",
        "gave my son a tour of the hall",
        "called to ask how it went",
        "brought the parcel up four floors",
        "swapped the tickets in a minute",
        "waited until my train had come",
        "sent flowers to the whole ward",
        "paid for the taxi home",
        "taught us how to mend it",
        "kept the shop open for us",
    ],
    [
        "great people, I love them",
        "the best and kindest team",
        "excellent, I recommend them happily",
        "truly wonderful and friendly",
        "amazing work, thanks",
        "perfect, and such nice people",
        "I am delighted and thankful",
        "brilliant and generous",
        "fantastic, five stars with joy",
        "so good and so helpful",
        "a pleasure, honestly superb",
        "beautiful, I am impressed",
    ],
];

/// Texts in languages that the scorer does not know.
const FOREIGN: [(&str, [[&str; 6]; 3]); 3] = [
    (
        "de",
        [
            [
                "heute morgen hat",
                "am dienstag hat",
                "wie immer hat",
                "im radio hieß es,",
                "angeblich hat",
                "nebenan hat",
            ],
            [
                "das paket verloren",
                "die rechnung geändert",
                "den laden geöffnet",
                "den zug gestrichen",
                "den brief geschickt",
                "die preise erhöht",
            ],
            [
                "und niemand sagt etwas",
                "so steht es am brett",
                "mehr weiß ich nicht",
                "das war die woche",
                "ich warte noch",
                "mal sehen was kommt",
            ],
        ],
    ),
    (
        "es",
        [
            ["esta mañana", "el martes", "como siempre", "según la radio", "dicen que", "aquí al lado"],
            [
                "perdió el paquete",
                "cambió la factura",
                "abrió la tienda",
                "canceló el tren",
                "mandó la carta",
                "subió los precios",
            ],
            ["y nadie dice nada", "así está escrito", "no sé más", "fue la semana", "sigo esperando", "ya veremos"],
        ],
    ),
    (
        "fr",
        [
            ["ce matin", "mardi dernier", "comme toujours", "selon la radio", "on dit que", "juste à côté"],
            [
                "a perdu le colis",
                "a changé la facture",
                "a ouvert la boutique",
                "a annulé le train",
                "a envoyé la lettre",
                "a monté les prix",
            ],
            [
                "et personne ne dit rien",
                "c'est écrit au mur",
                "je n'en sais pas plus",
                "voilà la semaine",
                "j'attends encore",
                "on verra bien",
            ],
        ],
    ),
];

/// How many texts of a tone are told apart.
pub const DIFFERENT: u64 = 12 * 12 * 12;

/// The text of this number, of a tone, in a language, about who is named. Numbers one after the other give texts
/// that differ in all parts; after [`DIFFERENT`] of them they come again.
pub fn text(tone: Tone, lang: &str, name: &str, number: u64) -> String {
    if let Some((_, parts)) = FOREIGN.iter().find(|(l, _)| *l == lang) {
        return join(parts, name, number);
    }
    match tone {
        Tone::Negative => join(&HOSTILE, name, number),
        Tone::Positive => join(&FRIENDLY, name, number),
        Tone::Neutral | Tone::Unknown => join(&NEUTRAL, name, number),
    }
}

fn join<const N: usize>(parts: &[[&'static str; N]; 3], name: &str, number: u64) -> String {
    let (n, [begin, middle, end]) = (N as u64, parts);
    // a step that meets every text once before it meets one again, and changes all parts
    let at = number.wrapping_mul(n * n + 5 * n + 7) % (n * n * n);
    let of = |part: &[&'static str; N], i: u64| part.get((i % n) as usize).copied().unwrap_or("");
    format!("{} {name} {}, {}", of(begin, at), of(middle, at / n), of(end, at / n / n))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::enrich::negativity::score;

    #[test]
    fn texts_are_judged_as_they_are_meant() {
        for number in 0..DIFFERENT {
            for (tone, from, to) in [(Tone::Negative, 700, 1000), (Tone::Neutral, 200, 300), (Tone::Positive, 0, 100)] {
                let text = text(tone, "en", "Acme", number);
                let n = score(&text, Some("en")).unwrap().milli();
                assert!((from..=to).contains(&n), "{tone:?} {n}: {text}");
            }
        }
        for lang in ["de", "es", "fr", "ja"] {
            assert_eq!(score(&text(Tone::Negative, lang, "Acme", 3), Some(lang)), None);
        }
    }

    #[test]
    fn texts_differ_until_all_were_said() {
        for tone in [Tone::Negative, Tone::Neutral, Tone::Positive] {
            let all: BTreeSet<String> = (0..DIFFERENT).map(|k| text(tone, "en", "Acme", k)).collect();
            assert_eq!(all.len() as u64, DIFFERENT);
            assert_eq!(text(tone, "en", "Acme", DIFFERENT), text(tone, "en", "Acme", 0));
        }
        let foreign: BTreeSet<String> = (0..216).map(|k| text(Tone::Negative, "de", "Acme", k)).collect();
        assert_eq!(foreign.len(), 216);
    }
}
