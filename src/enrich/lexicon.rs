//! Words of blame and praise in English, with their strength from -4 to 4. The project's own list.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Strength, then words.
const VALENCE: &[(i8, &str)] = &[
    (
        -4,
        "disgusting despicable evil murder murdered rape raped scumbag scum hell fuck fucking fucked fuckers shit shitty bullshit killed killer poison poisoned",
    ),
    (
        -3,
        "hate hates hated hating terrible horrible awful horrendous appalling atrocious worst vile pathetic scam scammed scammers fraud fraudulent \
          stole steal stolen stealing liar liars lied lying lies crooks criminal criminals corrupt nightmare disgrace disgraceful outrage outrageous outraged \
          abuse abused abusive racist racism sexist harassed harassment assault assaulted injured dead dying dangerous threat unsafe furious enraged \
          unacceptable incompetent incompetence useless garbage trash crap crappy sucks suck shame ashamed shameful inexcusable \
          disaster catastrophe negligence negligent toxic cruel boycott boycotting sue suing lawsuit destroyed ruined smashed wtf betrayed",
    ),
    (
        -2,
        "bad angry anger annoyed annoying disappointed disappointing disappointment disappoint fail failed failing fails failure broke broken break breaks breaking \
          damaged damage damages refuse refused refuses refusing rude ignored ignore ignores ignoring lost lose losing loses missing delayed delay delays late cancelled canceled \
          cancel stranded stuck overcharged refund complaint complain complained complaining complaints problem problems issue unhelpful dishonest mislead misleading \
          misled poor poorly worse worthless waste wasted wasting error errors wrong fault blame mess messed joke ridiculous stupid idiot idiots dumb \
          insult insulting insulted mistreated victim victims hurt hurts pain painful sick fear afraid scared upset unfair unjust greed greedy \
          rip ripoff cheat cheated cheating leak leaked breach hacked outage crash crashed crashes down dirty filthy gross laughed mocked bumped denied rejected \
          never-again avoid beware warning fire fired cry crying tears frustrated frustrating frustration mad pissed hell-no lazy careless recall sad unhappy miserable",
    ),
    (
        -1,
        "slow expensive overpriced weird boring confused confusing unfortunately sorry wait waiting waited nobody concern concerned concerning worried worry \
          doubt questionable lacking lack limited old weak cold tired hard difficult trouble stop stopped",
    ),
    (
        1,
        "ok okay fine nice fair useful helped easy quick fast interesting hope hoping thanks thank clean friendly cool fun safe welcome pleased smooth calm",
    ),
    (
        2,
        "good great happy glad enjoy enjoyed enjoying like likes liked love-it helpful kind recommend recommended proud win won winning winner success successful \
          impressive impressed beautiful lovely sweet smart best-ever excited exciting pleasant comfortable reliable grateful appreciate appreciated congrats congratulations",
    ),
    (
        3,
        "love loves loved loving awesome amazing excellent fantastic wonderful brilliant perfect best superb outstanding delighted delightful incredible thrilled magnificent fabulous",
    ),
    (-3, "😡 🤬 😠 💩 🤮 👎 🖕"),
    (-2, "😢 😭 😤 😒 🙄 😞 💔 😩 😱"),
    (2, "👍 😊 😁 😀 👏 🎉 🙏 😎 🙂"),
    (3, "😍 🥰 ❤ 💙 💕 🤩 😘"),
];

const NEGATIONS: &str = "not no never none nobody nothing neither nor without cannot cant can't dont don't doesnt doesn't didnt didn't isnt isn't \
    wasnt wasn't arent aren't wont won't wouldnt wouldn't shouldnt shouldn't couldnt couldn't aint ain't hardly barely";

const BOOSTERS: &str =
    "very really so extremely absolutely completely totally utterly incredibly fucking such truly insanely super";

/// Words by which a text without a language mark shows to be English.
const ENGLISH: &str = "the and is are was to of in it that this my your for with on you have has at be they we i he she not just so but what from";

/// Lexicon look-ups.
pub(super) struct Lexicon {
    valence: HashMap<&'static str, i8>,
    negations: Vec<&'static str>,
    boosters: Vec<&'static str>,
    english: Vec<&'static str>,
}

impl Lexicon {
    /// The shared instance.
    pub(super) fn get() -> &'static Lexicon {
        static SHARED: LazyLock<Lexicon> = LazyLock::new(|| {
            let sorted = |list: &'static str| {
                let mut v: Vec<&str> = list.split_whitespace().collect();
                v.sort_unstable();
                v
            };
            let valence = VALENCE.iter().flat_map(|(v, words)| words.split_whitespace().map(|w| (w, *v)));
            Lexicon {
                valence: valence.collect(),
                negations: sorted(NEGATIONS),
                boosters: sorted(BOOSTERS),
                english: sorted(ENGLISH),
            }
        });
        &SHARED
    }

    /// Strength of a folded word; 0 for words it does not hold.
    pub(super) fn valence(&self, word: &str) -> i8 {
        self.valence.get(word).copied().unwrap_or(0)
    }

    pub(super) fn is_negation(&self, word: &str) -> bool {
        self.negations.binary_search(&word).is_ok()
    }

    pub(super) fn is_booster(&self, word: &str) -> bool {
        self.boosters.binary_search(&word).is_ok()
    }

    pub(super) fn is_english(&self, word: &str) -> bool {
        self.english.binary_search(&word).is_ok()
    }
}
