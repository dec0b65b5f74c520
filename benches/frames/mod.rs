//! A seeded, open generator of Jetstream frames: several languages with Zipf-distributed words,
//! posts, replies, quotes, links and reposts in the shares seen on the real stream, and brands
//! that are named in a few per cent of the posts. The same seed gives the same bytes everywhere.

mod words;

use std::fmt::Write;

use words::{LANGUAGES, Language};

/// How the stream is made up. Shares are of all frames.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Seed; the same seed gives the same frames.
    pub seed: u64,
    /// Brands watched.
    pub brands: usize,
    /// Frames for each second of stream time.
    pub per_second: u64,
    /// Part of posts that name a brand.
    pub naming: f64,
}

impl Default for Recipe {
    fn default() -> Recipe {
        Recipe { seed: 1, brands: 200, per_second: 500, naming: 0.02 }
    }
}

const REPOSTS: f64 = 0.10;
const REPLIES: f64 = 0.38;
const QUOTES: f64 = 0.06;
const LINKS: f64 = 0.12;
const DELETES: f64 = 0.03;
/// Part of what is answered or passed on that is older than the stream, or was never seen.
const UNSEEN: f64 = 0.5;
/// Posts that can be answered: the recent ones.
const POOL: usize = 4096;
/// 2026-07-04T14:38:08Z in microseconds.
const START: u64 = 1_783_175_888_000_000;

/// SplitMix64: small, fast, the same everywhere.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x6772_6f75_6e64)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f64) as usize
    }

    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    fn base32(&mut self, len: usize, out: &mut String) {
        const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let mut bits = 0;
        for i in 0..len {
            if i % 12 == 0 {
                bits = self.next();
            }
            out.push(ALPHABET[(bits & 31) as usize] as char);
            bits >>= 5;
        }
    }
}

/// An endless stream of frames.
pub struct Frames {
    recipe: Recipe,
    random: Random,
    time: u64,
    /// Recent posts, each with the first post of its thread.
    pool: Vec<(String, String)>,
    next_in_pool: usize,
    brands: Vec<String>,
}

/// Names of brands, made of syllables: one word or two.
pub fn brand_names(n: usize) -> Vec<String> {
    const HEAD: [&str; 16] = [
        "zen", "vor", "kal", "mir", "tor", "bel", "nor", "sol", "fen", "gal", "rux", "dax", "pol", "quin", "hex", "lum",
    ];
    const TAIL: [&str; 16] =
        ["ora", "ix", "ana", "elo", "ium", "ara", "eta", "isk", "ano", "uva", "eon", "ick", "ade", "oss", "yne", "ulo"];
    (0..n)
        .map(|i| {
            let word = |k: usize| format!("{}{}{}", HEAD[k % 16], HEAD[k / 16 % 16], TAIL[(k / 256 + k) % 16]);
            if i % 3 == 0 { format!("{} {}", word(i), word(i * 7 + 5)) } else { word(i) }
        })
        .collect()
}

/// A rule file that watches the brands, with rules of every kind.
pub fn rules(brands: usize) -> String {
    let mut out = String::from("version: 1\nbrands:\n");
    for (i, name) in brand_names(brands).iter().enumerate() {
        let tag = name.replace(' ', "");
        let _ = writeln!(
            out,
            "  b{i}: {{name: \"{name}\", query: '\"{name}\" OR @{tag} OR #{tag} OR ({tag} (flight OR order OR bank))'}}"
        );
    }
    out.push_str(
        "rules:\n\
         \x20 - {alert: HostileReach, when: 'hostile_reach[1h] >= 50k and authors{tone=\"negative\"}[10m] >= 5', severity: page, keep_firing_for: 10m}\n\
         \x20 - {alert: BigVoice, when: 'largest_voice{tone=\"negative\"}[10m] >= 250k', severity: page, keep_firing_for: 10m}\n\
         \x20 - {alert: Sour, when: 'negative_share[1h] >= 60% and mentions[1h] >= 20', for: 5m, severity: warn}\n\
         \x20 - alert: Spreading\n    by: [brand, story]\n    keep_firing_for: 10m\n    levels: {warn: 'shares[10m] >= 20', page: 'shares[10m] >= 20 and hostile_reach[1h] >= 20k'}\n",
    );
    out
}

impl Frames {
    pub fn new(recipe: Recipe) -> Frames {
        let brands = brand_names(recipe.brands);
        let mut random = Random::new(recipe.seed);
        let pool = (0..POOL).map(|_| {
            let uri = post_uri(&mut random);
            (uri.clone(), uri)
        });
        let pool = pool.collect();
        Frames { recipe, random, time: START, pool, next_in_pool: 0, brands }
    }

    /// Appends the next frame, without a line break.
    pub fn frame(&mut self, out: &mut String) {
        let step = 2_000_000 / self.recipe.per_second.max(1);
        self.time += (self.random.unit() * step as f64) as u64;
        out.push_str("{\"did\":\"did:plc:");
        let did_at = out.len();
        self.random.base32(24, out);
        let did = out[did_at..].to_string();
        let _ = write!(out, "\",\"time_us\":{},\"kind\":\"commit\",\"commit\":{{\"rev\":\"3", self.time);
        self.random.base32(12, out);
        let kind = self.random.unit();
        if kind < DELETES {
            out.push_str("\",\"operation\":\"delete\",\"collection\":\"app.bsky.feed.post\",\"rkey\":\"3");
            self.random.base32(12, out);
            out.push_str("\"}}");
            return;
        }
        let repost = kind < DELETES + REPOSTS;
        let collection = if repost { "app.bsky.feed.repost" } else { "app.bsky.feed.post" };
        let _ = write!(out, "\",\"operation\":\"create\",\"collection\":\"{collection}\",\"rkey\":\"3");
        let rkey_at = out.len() - 1;
        self.random.base32(12, out);
        let rkey = out[rkey_at..].to_string();
        let _ = write!(out, "\",\"record\":{{\"$type\":\"{collection}\",\"createdAt\":\"2026-07-04T14:38:07.112Z\",");
        if repost {
            let (uri, _) = self.target();
            self.reference("subject", &uri, out);
        } else {
            let root = self.post(kind - DELETES - REPOSTS, out);
            let uri = format!("at://did:plc:{did}/app.bsky.feed.post/{rkey}");
            let root = root.unwrap_or_else(|| uri.clone());
            self.pool[self.next_in_pool % POOL] = (uri, root);
            self.next_in_pool += 1;
        }
        out.push_str("},\"cid\":\"");
        self.cid(out);
        out.push_str("\"}}");
    }

    /// Writes a post; gives the first post of the thread it answers in.
    fn post(&mut self, kind: f64, out: &mut String) -> Option<String> {
        let mut answered = None;
        if kind < REPLIES {
            let (parent, root) = self.target();
            out.push_str("\"reply\":{");
            self.reference("parent", &parent, out);
            out.push(',');
            self.reference("root", &root, out);
            out.push_str("},");
            answered = Some(root);
        } else if kind < REPLIES + QUOTES {
            let (uri, _) = self.target();
            out.push_str("\"embed\":{\"$type\":\"app.bsky.embed.record\",");
            self.reference("record", &uri, out);
            out.push_str("},");
        } else if kind < REPLIES + QUOTES + LINKS {
            let n = self.random.next() % 100_000;
            let _ = write!(
                out,
                "\"embed\":{{\"$type\":\"app.bsky.embed.external\",\"external\":{{\"description\":\"\",\"title\":\"\",\"uri\":\"https://www.news{}.example/story/{n}\"}}}},",
                n % 97
            );
        }
        let language = self.language();
        let _ = write!(out, "\"langs\":[\"{}\"],\"text\":\"", language.code);
        self.text(language, out);
        out.push('"');
        answered
    }

    fn reference(&mut self, name: &str, uri: &str, out: &mut String) {
        let _ = write!(out, "\"{name}\":{{\"cid\":\"");
        self.cid(out);
        let _ = write!(out, "\",\"uri\":\"{uri}\"}}");
    }

    /// A post to answer or pass on, and the first of its thread; recent posts most often.
    fn target(&mut self) -> (String, String) {
        if self.random.chance(UNSEEN) {
            let uri = post_uri(&mut self.random);
            return (uri.clone(), uri);
        }
        let back = (self.random.unit() * self.random.unit() * POOL as f64) as usize;
        let at = (self.next_in_pool + POOL - 1 - back.min(POOL - 1)) % POOL;
        self.pool[at].clone()
    }

    fn cid(&mut self, out: &mut String) {
        out.push_str("bafyrei");
        self.random.base32(52, out);
    }

    fn language(&mut self) -> &'static Language {
        let mut u = self.random.unit();
        for l in LANGUAGES {
            if u < l.share {
                return l;
            }
            u -= l.share;
        }
        &LANGUAGES[0]
    }

    fn text(&mut self, l: &Language, out: &mut String) {
        let words: Vec<&str> = l.words.split_whitespace().collect();
        let n = 1 + (-(self.random.unit().max(1e-9)).ln() * 14.0) as usize;
        let named = (self.random.chance(self.recipe.naming) && !self.brands.is_empty()).then(|| self.random.below(n));
        for i in 0..n.min(60) {
            if i > 0 {
                out.push_str(if self.random.chance(0.03) { "\\n" } else { l.space });
            }
            if named == Some(i) {
                let brand = &self.brands[zipf(&mut self.random, self.brands.len())];
                out.push_str(brand);
                out.push(' ');
            }
            match self.random.unit() {
                u if u < 0.008 => out.push_str("\\\"quote\\\""),
                u if u < 0.016 => out.push_str("❤️"),
                u if u < 0.024 => out.push('😂'),
                u if u < 0.034 => self.made_up(l, out),
                u if u < 0.040 => {
                    out.push('#');
                    out.push_str(words[zipf(&mut self.random, words.len())]);
                }
                _ => {
                    let word = words[zipf(&mut self.random, words.len())];
                    match i == 0 && l.space == " " {
                        true => out.extend(
                            word.chars().enumerate().map(|(k, c)| if k == 0 { c.to_ascii_uppercase() } else { c }),
                        ),
                        false => out.push_str(word),
                    }
                }
            }
        }
        if self.random.chance(0.4) {
            out.push_str(l.stop);
        }
    }

    /// The long tail: a word that no list holds.
    fn made_up(&mut self, l: &Language, out: &mut String) {
        let words: Vec<&str> = l.words.split_whitespace().collect();
        let (a, b) = (self.random.below(words.len()), self.random.below(words.len()));
        out.push_str(words[a]);
        out.push_str(words[b]);
    }
}

/// A rank by Zipf's law: rank r with weight 1 / (r + 2.7).
fn zipf(r: &mut Random, n: usize) -> usize {
    let span = ((n as f64 + 2.7) / 2.7).ln();
    (((r.unit() * span).exp() * 2.7 - 2.7) as usize).min(n - 1)
}

fn post_uri(r: &mut Random) -> String {
    let mut out = String::from("at://did:plc:");
    r.base32(24, &mut out);
    out.push_str("/app.bsky.feed.post/3");
    r.base32(12, &mut out);
    out
}
