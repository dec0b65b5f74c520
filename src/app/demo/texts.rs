//! What people say in the demo. All of it is invented.

pub(super) const CHATTER: &[&str] = &[
    "coffee first, everything else later",
    "the light this morning was something else",
    "does anyone know a good book about lighthouses?",
    "my cat has opinions about the new sofa",
    "rain again, so soup it is",
    "three hours into this game and I still cannot find the key",
    "new drawing is up, more tomorrow",
    "why is every meeting at four on a friday",
    "bread came out well today",
    "the train was on time and I do not know what to do with myself",
    "learning to juggle, day nine",
    "what a match, what an ending",
    "good night from the night shift",
    "hoje foi um dia muito bom",
    "guten morgen zusammen, der garten ruft",
    "今日はいい天気ですね",
    "quelle belle soirée avec les amis",
    "오늘 저녁은 떡볶이",
];

pub(super) const NEUTRAL: &[&str] = &[
    "boarding Northwind Airways to Oslo, gate 14",
    "is the Northwind Airways lounge open on sundays?",
    "Northwind Airways adds a route to Porto from may",
    "my northwind flight has wifi now",
    "anyone else on the Northwind Airways flight to Leeds tonight?",
    "window seat on Northwind Airways, clouds all the way",
];

pub(super) const KIND: &[&str] = &[
    "thank you Northwind Airways crew, lovely flight",
    "Northwind Airways found my hat and mailed it, great people",
    "best landing in years, well done Northwind Airways",
];

pub(super) const SOUR: &[&str] = &[
    "Northwind Airways delayed again, two hours at the gate",
    "why is Northwind Airways so expensive and so late",
    "northwind luggage is lost since monday, no answer",
];

/// The post it all begins with.
pub(super) const ROOT: &str = "Northwind Airways broke my guitar and their staff laughed about it on the tarmac. Three weeks of calls and they refuse to pay. So I wrote them a song.";

pub(super) const HOSTILE: &[&str] = &[
    "this is disgraceful, pay the woman",
    "they broke her guitar and LAUGHED, what a shameful airline",
    "never again, they did the same to my cello and ignored me",
    "worst customer service I have ever seen, absolutely awful",
    "I hate how they treat musicians, this is unacceptable",
    "three weeks and they refuse to answer? terrible",
    "boycott them until they pay, this makes me so angry",
    "lost my bag last year, rude staff, same story",
    "what a disgrace, a broken guitar and no apology",
    "they lied to her twice, liars",
];

pub(super) const MILD: &[&str] = &[
    "the song is actually great though",
    "which guitar was it?",
    "listening to it for the third time",
    "waiting to hear their side of it",
];

pub(super) const OUTLET: &str =
    "A musician says an airline broke her guitar and refuses to pay. Her song about it is spreading fast.";

pub(super) const OTHERS: &[&str] = &[
    "checked into Harborview Hotels, room 412, nice view of the cranes",
    "is the pool at Harborview Hotels open in winter?",
    "Harborview Hotels has the best breakfast in town, thank you",
    "conference at Harborview Hotels all week",
    "the lift at Harborview Hotels is broken again, terrible",
    "lovely evening at Harborview Hotels with the team",
];

/// What the brand's own account answers.
pub(super) const ANSWER: &str =
    "We are so sorry. This should not have happened; we have written to you and will pay for the repair.";
