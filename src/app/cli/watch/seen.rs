//! What was seen so far: mentions by tone, accounts and what is known of them, what stories began
//! with. Told everything the engine decides, in order; reads no clock.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::base::limits;
use crate::base::model::{AccountId, Entry, EntryBody, Gone, PostBody, PostId, PostKind, StoryId, Told, Tone};
use crate::base::reach;
use crate::base::recent::Recent;

/// Seconds that the footer looks back.
const LATELY: u64 = 600;

/// News from the engine.
pub(super) enum News {
    /// A mention of what is watched, or a share of one.
    Mention(Box<Told>),
    /// Followers of an account, and its handle.
    Learned(AccountId, u64, Option<Box<str>>),
    /// A text is to be removed everywhere.
    Gone(Gone),
}

impl News {
    /// What an entry tells, if it is of interest here.
    pub(super) fn of(entry: &Entry) -> Option<News> {
        match &entry.body {
            // an answer in a thread that does not name the brand is no mention
            EntryBody::Mention(t) | EntryBody::Share(t) if t.in_brand => Some(News::Mention(t.clone())),
            EntryBody::AudienceLearned { account, followers, name, .. } => {
                Some(News::Learned(*account, *followers, name.clone()))
            }
            EntryBody::Delete { gone, .. } => Some(News::Gone(*gone)),
            _ => None,
        }
    }
}

/// The post of an account that reached most.
struct Best {
    post: PostId,
    kind: PostKind,
    tone: Tone,
    body: Arc<PostBody>,
}

/// What is known of an account.
#[derive(Default)]
pub(super) struct Account {
    pub(super) followers: u64,
    pub(super) known: bool,
    pub(super) name: Option<Box<str>>,
    /// Sum over its posts of the share of its audience each of them has.
    weight: u64,
    best: Option<Best>,
}

impl Account {
    fn reach(&self) -> f64 {
        reach::base(self.followers) as f64 * self.weight as f64 / reach::SUM_ONE
    }
}

/// What a story began with.
pub(super) struct First {
    pub(super) account: AccountId,
    pub(super) body: Arc<PostBody>,
    post: PostId,
    /// Posts of the story that can be passed on: which of several it was is not known.
    pub(super) posts: u32,
}

/// One of the posts that reached most.
pub(super) struct Top {
    pub(super) reach: f64,
    pub(super) known: bool,
    pub(super) followers: u64,
    pub(super) kind: PostKind,
    pub(super) tone: Tone,
    pub(super) name: Option<Box<str>>,
    pub(super) body: Arc<PostBody>,
}

/// Everything seen.
pub(super) struct Seen {
    lang: Option<String>,
    accounts: Recent<Account>,
    stories: Recent<First>,
    /// Mentions by tone, in the order of [`Tone::ALL`].
    pub(super) tones: [u64; Tone::ALL.len()],
    /// Mentions with a text of their own, and those of them whose tone is known.
    pub(super) texts: (u64, u64),
    /// Accounts seen, and those whose followers are known.
    pub(super) authors: (u64, u64),
    /// Impressions of all mentions, and those that rest on known followers.
    pub(super) reach: (f64, f64),
    /// Mentions in a second, and hostile ones.
    lately: VecDeque<(u64, u64, u64)>,
}

impl Seen {
    /// Nothing yet; of posts in this language only, if there is one.
    pub(super) fn new(lang: Option<String>) -> Seen {
        Seen {
            lang,
            accounts: Recent::new(limits::WATCH_ACCOUNTS),
            stories: Recent::new(limits::WATCH_STORIES),
            tones: [0; Tone::ALL.len()],
            texts: (0, 0),
            authors: (0, 0),
            reach: (0.0, 0.0),
            lately: VecDeque::new(),
        }
    }

    /// Mentions seen.
    pub(super) fn mentions(&self) -> u64 {
        self.tones.iter().sum()
    }

    /// Mentions in the last ten minutes before a second, and hostile ones.
    pub(super) fn lately(&self, second: u64) -> (u64, u64) {
        let recent = self.lately.iter().filter(|(s, ..)| s + LATELY > second);
        recent.fold((0, 0), |sum, (_, n, hostile)| (sum.0 + n, sum.1 + hostile))
    }

    /// Counts a mention in a second; false if it is of another language.
    pub(super) fn mention(&mut self, t: &Told, second: u64) -> bool {
        self.begin(t);
        if !self.is_wanted(t) {
            return false;
        }
        let tone = Tone::of(t.n);
        let slot = Tone::ALL.iter().position(|x| *x == tone).and_then(|i| self.tones.get_mut(i));
        slot.into_iter().for_each(|n| *n += 1);
        if !t.body.text.is_empty() {
            self.texts = (self.texts.0 + 1, self.texts.1 + u64::from(t.n.is_some()));
        }
        if self.lately.back().is_none_or(|(s, ..)| *s != second) {
            self.lately.push_back((second, 0, 0));
        }
        if let Some(last) = self.lately.back_mut() {
            (last.1, last.2) = (last.1 + 1, last.2 + u64::from(tone == Tone::Negative));
        }
        while self.lately.front().is_some_and(|(s, ..)| s + LATELY <= second) {
            self.lately.pop_front();
        }
        self.write(t, tone);
        true
    }

    /// Its author is somebody, and has reached somebody.
    fn write(&mut self, t: &Told, tone: Tone) {
        if self.accounts.peek(t.account.0).is_none() {
            let (followers, known) = (t.audience.followers, t.audience.known);
            self.accounts.insert(t.account.0, Account { followers, known, ..Account::default() });
            self.authors = (self.authors.0 + 1, self.authors.1 + u64::from(known));
        }
        let Some(account) = self.accounts.get_mut(t.account.0) else { return };
        let (before, weight) = (account.reach(), reach::kind_weight(t.kind));
        account.weight += u64::from(weight);
        let more = account.reach() - before;
        if account.best.as_ref().is_none_or(|b| reach::kind_weight(b.kind) < weight) {
            account.best = Some(Best { post: t.post, kind: t.kind, tone, body: t.body.clone() });
        }
        self.reach = (self.reach.0 + more, self.reach.1 + if account.known { more } else { 0.0 });
    }

    fn begin(&mut self, t: &Told) {
        if t.body.text.is_empty() {
            return;
        }
        match self.stories.get_mut(t.story.id.0) {
            Some(first) => first.posts += 1,
            None => {
                let first = First { account: t.account, body: t.body.clone(), post: t.post, posts: 1 };
                self.stories.insert(t.story.id.0, first);
            }
        }
    }

    fn is_wanted(&self, t: &Told) -> bool {
        let passed_on = || self.first(t.story.id).and_then(|f| f.body.lang.as_deref());
        match &self.lang {
            None => true,
            Some(lang) => t.body.lang.as_deref().or_else(passed_on).is_some_and(|l| l.eq_ignore_ascii_case(lang)),
        }
    }

    /// Followers of an account are known now.
    pub(super) fn learned(&mut self, id: AccountId, followers: u64, name: Option<Box<str>>) {
        let Some(account) = self.accounts.get_mut(id.0) else { return };
        let (before, was) = (account.reach(), account.known);
        account.followers = followers;
        account.known = true;
        account.name = name.or(account.name.take());
        let after = account.reach();
        self.authors.1 += u64::from(!was);
        self.reach = (self.reach.0 + after - before, self.reach.1 + after - if was { before } else { 0.0 });
    }

    /// A text is not shown any more.
    pub(super) fn gone(&mut self, gone: Gone) {
        let Gone::Post(post) = gone else { return };
        self.accounts
            .values_mut()
            .filter(|a| a.best.as_ref().is_some_and(|b| b.post == post))
            .for_each(|a| a.best = None);
        self.stories.values_mut().filter(|f| f.post == post).for_each(|f| {
            let (links, tags) = Default::default();
            f.body = Arc::new(PostBody { text: "[deleted]".into(), links, tags, ..(*f.body).clone() });
        });
    }

    /// What is known of an account.
    pub(super) fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.peek(id.0)
    }

    /// What a story began with, as far as it was seen.
    pub(super) fn first(&self, story: StoryId) -> Option<&First> {
        self.stories.peek(story.0)
    }

    /// The posts that reached most, one an account, the largest first.
    pub(super) fn top(&mut self, most: usize) -> Vec<Top> {
        let mut all: Vec<Top> = self.accounts.values_mut().filter_map(|a| top(a)).collect();
        all.sort_by(|a, b| b.reach.total_cmp(&a.reach).then_with(|| a.body.id.cmp(&b.body.id)));
        all.truncate(most);
        all
    }
}

fn top(a: &Account) -> Option<Top> {
    let best = a.best.as_ref()?;
    let part = f64::from(reach::kind_weight(best.kind)) / f64::from(reach::WEIGHT_ONE);
    Some(Top {
        reach: reach::base(a.followers) as f64 * part / reach::BASE_ONE as f64,
        known: a.known,
        followers: a.followers,
        kind: best.kind,
        tone: best.tone,
        name: a.name.clone(),
        body: best.body.clone(),
    })
}

/// Impressions of one post of an account with so many followers.
pub(super) fn impressions(followers: u64, kind: PostKind) -> f64 {
    reach::base(followers) as f64 * f64::from(reach::kind_weight(kind)) / reach::SUM_ONE
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::base::model::Place;
    use crate::base::model::{Audience, Causes, KeyId, Negativity, StoryRef};
    use crate::base::time::Time;

    /// A post by an account with 300 followers imputed.
    pub(in super::super) fn told(id: u64, account: u64, text: &str, n: Option<u16>) -> Told {
        let body = PostBody {
            source: "bluesky".into(),
            id: format!("p{id}").into(),
            author: format!("did:plc:a{account}").into(),
            author_name: None,
            text: text.into(),
            lang: (!text.is_empty()).then(|| "en".into()),
            url: Some(format!("https://x.example/{id}").into()),
            links: Box::default(),
            tags: Box::default(),
        };
        Told {
            key: KeyId(1),
            post: PostId(id),
            account: AccountId(account),
            audience: Audience { followers: 300, known: false },
            time: Time::from_millis(1_783_175_886_240),
            n: n.map(Negativity::from_milli),
            causes: Causes::default(),
            kind: if text.is_empty() { PostKind::Repost } else { PostKind::Post },
            in_brand: true,
            to_own: false,
            place: Place::Root,
            text: None,
            foreign: None,
            via: "bluesky".into(),
            story: StoryRef { id: StoryId(7), name: "bluesky:p1".into() },
            body: Arc::new(body),
        }
    }

    #[test]
    fn what_is_learned_later_corrects_reach() {
        let mut seen = Seen::new(None);
        for t in [told(1, 1, "bad", Some(900)), told(2, 2, "good", Some(50)), told(3, 1, "", Some(900))] {
            assert!(seen.mention(&t, 5));
        }
        assert_eq!((seen.mentions(), seen.texts, seen.authors), (3, (2, 2), (2, 0)));
        assert_eq!(seen.reach, (135.0, 0.0));
        seen.learned(AccountId(1), 10_000, Some("big.example".into()));
        assert_eq!((seen.authors, seen.reach), ((2, 1), (3045.0, 3000.0)));
        seen.learned(AccountId(1), 1_000, None);
        seen.learned(AccountId(9), 1_000, None);
        assert_eq!((seen.authors, seen.reach), ((2, 1), (345.0, 300.0)));
        let top = seen.top(3);
        assert_eq!((top.len(), top[0].name.as_deref(), top[0].reach), (2, Some("big.example"), 150.0));
        seen.gone(Gone::Post(PostId(1)));
        assert_eq!(seen.top(3).len(), 1);
        assert_eq!(&*seen.first(StoryId(7)).unwrap().body.text, "[deleted]");
    }

    #[test]
    fn looks_back_ten_minutes() {
        let mut seen = Seen::new(None);
        seen.mention(&told(1, 1, "bad", Some(900)), 0);
        seen.mention(&told(2, 1, "x", None), 599);
        assert_eq!((seen.lately(599), seen.lately(600)), ((2, 1), (1, 0)));
    }

    #[test]
    fn another_language_is_left_out() {
        let mut seen = Seen::new(Some("en".into()));
        let of = |id, text: &str, lang: Option<&str>| {
            let t = told(id, id, text, None);
            let body = PostBody { lang: lang.map(Box::from), ..(*t.body).clone() };
            Told { body: Arc::new(body), story: StoryRef { id: StoryId(id / 10), name: "s".into() }, ..t }
        };
        assert!(seen.mention(&of(10, "x", Some("en")), 0) && seen.mention(&of(11, "", None), 0));
        assert!(!seen.mention(&of(20, "x", Some("de")), 0) && !seen.mention(&of(21, "", None), 0));
        assert_eq!(seen.mentions(), 2);
    }
}
