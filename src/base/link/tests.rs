use proptest::prelude::*;

use super::*;

fn form(link: &str) -> Option<String> {
    canonical(link.as_bytes()).map(|b| String::from_utf8(b.to_vec()).unwrap())
}

/// Two links to one place; the second in canonical form.
const SAME: &[(&str, &str)] = &[
    // scheme, host, user, port
    ("http://example.com/a", "https://example.com/a"),
    ("HTTPS://EXAMPLE.com/a", "https://example.com/a"),
    ("  https://example.com/a \n", "https://example.com/a"),
    ("https://example.com./a", "https://example.com/a"),
    ("https://example.com:443/a", "https://example.com/a"),
    ("http://example.com:80/a", "https://example.com/a"),
    ("http://example.com:/a", "https://example.com/a"),
    ("https://example.com:8443/a", "https://example.com:8443/a"),
    ("https://user:pass@example.com/a", "https://example.com/a"),
    ("https://example.org@example.com/a", "https://example.com/a"),
    ("https://www.example.com/a", "https://example.com/a"),
    ("https://m.example.com/a", "https://example.com/a"),
    ("https://mobile.example.com/a", "https://example.com/a"),
    ("https://amp.example.com/a", "https://example.com/a"),
    ("https://www.m.example.com/a", "https://example.com/a"),
    ("https://amp.www.example.co.uk:8080/a", "https://example.co.uk:8080/a"),
    ("https://m.co.uk/a", "https://m.co.uk/a"),
    ("https://www.com/a", "https://www.com/a"),
    ("https://m.io/a", "https://m.io/a"),
    ("https://en.m.wikipedia.org/wiki/United", "https://en.wikipedia.org/wiki/United"),
    ("https://BÜCHER.example/a", "https://bücher.example/a"),
    ("https://XN--BCHER-KVA.example/a", "https://xn--bcher-kva.example/a"),
    ("https://i❤.ws/a", "https://i❤.ws/a"),
    ("http://[2001:DB8::1]:80/a", "https://[2001:db8::1]/a"),
    ("https://example.com\\a\\b", "https://example.com/a/b"),
    // path
    ("https://example.com/a/", "https://example.com/a"),
    ("https://example.com//a///b//", "https://example.com/a/b"),
    ("https://example.com/a/./b/../c", "https://example.com/a/c"),
    ("https://example.com/../../a", "https://example.com/a"),
    ("https://example.com/x/%2e%2E/a", "https://example.com/a"),
    ("https://example.com/a/index.html", "https://example.com/a"),
    ("https://example.com/a/INDEX.PHP?id=1", "https://example.com/a?id=1"),
    ("https://example.com/a/amp/", "https://example.com/a"),
    ("https://example.com/a.amp.html", "https://example.com/a.html"),
    ("https://example.com/a.amp", "https://example.com/a"),
    ("https://example.com/amp", "https://example.com/amp"),
    ("https://example.com/%61%7Eb", "https://example.com/a~b"),
    ("https://example.com/a%2fb", "https://example.com/a%2Fb"),
    ("https://example.com/a%20b", "https://example.com/a%20b"),
    ("https://example.com/a b", "https://example.com/a%20b"),
    ("https://example.com/é", "https://example.com/%C3%A9"),
    ("https://example.com/%c3%a9", "https://example.com/%C3%A9"),
    ("https://example.com/100%", "https://example.com/100%25"),
    ("https://example.com/a;jsessionid=0F3", "https://example.com/a"),
    ("https://example.com/a#top", "https://example.com/a"),
    ("https://example.com/a#!/b", "https://example.com/a#!/b"),
    ("https://example.com/#!b", "https://example.com/#!b"),
    // query
    ("https://example.com?id=7", "https://example.com/?id=7"),
    ("https://example.com/a?b=2&a=1", "https://example.com/a?a=1&b=2"),
    ("https://example.com/a?&&x=1&x=1&", "https://example.com/a?x=1"),
    ("https://example.com/a?x=", "https://example.com/a?x"),
    ("https://example.com/a?q=one+two", "https://example.com/a?q=one%20two"),
    ("https://example.com/a?u=http%3a%2f%2fb", "https://example.com/a?u=http://b"),
    ("https://example.com/a?utm_source=x&UTM_Campaign=y&id=3", "https://example.com/a?id=3"),
    ("https://example.com/a?fbclid=1&gclid=2&dclid=3&msclkid=4&mc_cid=5&mc_eid=6", "https://example.com/a"),
    ("https://example.com/a?igshid=1&igsh=2&cmpid=3&ocid=4&smid=5&sr_share=6&xtor=7", "https://example.com/a"),
    ("https://example.com/a?__twitter_impression=true&ref_src=twsrc&ref_url=z&amp=1", "https://example.com/a"),
    ("https://example.com/a?outputType=amp", "https://example.com/a"),
    ("https://www.theguardian.com/world/1?CMP=share", "https://theguardian.com/world/1"),
    // sites
    ("https://youtu.be/dQw4w9WgXcQ?si=abc&t=3", "https://youtube.com/watch?v=dQw4w9WgXcQ"),
    ("https://www.youtube.com/watch?feature=share&v=dQw4w9WgXcQ", "https://youtube.com/watch?v=dQw4w9WgXcQ"),
    ("https://m.youtube.com/watch?v=dQw4w9WgXcQ&list=PL1&index=2", "https://youtube.com/watch?v=dQw4w9WgXcQ"),
    ("https://music.youtube.com/watch?v=dQw4w9WgXcQ", "https://youtube.com/watch?v=dQw4w9WgXcQ"),
    ("https://youtube.com/shorts/dQw4w9WgXcQ", "https://youtube.com/watch?v=dQw4w9WgXcQ"),
    ("https://youtube.com/live/dQw4w9WgXcQ?feature=share", "https://youtube.com/watch?v=dQw4w9WgXcQ"),
    ("https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ", "https://youtube.com/watch?v=dQw4w9WgXcQ"),
    ("https://www.youtube.com/playlist?list=PL1&si=x", "https://youtube.com/playlist?list=PL1"),
    ("https://twitter.com/united/status/123?s=20&t=abc", "https://x.com/i/status/123"),
    ("https://mobile.twitter.com/united/status/123/photo/1", "https://x.com/i/status/123"),
    ("https://x.com/i/web/status/123", "https://x.com/i/status/123"),
    ("https://fxtwitter.com/united/status/123", "https://x.com/i/status/123"),
    ("https://vxtwitter.com/other/status/123", "https://x.com/i/status/123"),
    ("https://twitter.com/united?ref_src=x", "https://x.com/united"),
    ("https://t.me/s/Channel/77", "https://t.me/channel/77"),
    ("https://telegram.me/channel/77?single", "https://t.me/channel/77"),
    ("https://www.instagram.com/reel/CaB_1/?igsh=x", "https://instagram.com/p/CaB_1"),
    ("https://instagram.com/united/p/CaB_1/", "https://instagram.com/p/CaB_1"),
    ("https://www.tiktok.com/@u.n/video/123?_t=8&_r=1", "https://tiktok.com/video/123"),
    ("https://old.reddit.com/r/delta/comments/1AbC/some_title/?context=3", "https://reddit.com/comments/1abc"),
    ("https://redd.it/1abc", "https://reddit.com/comments/1abc"),
    ("https://m.facebook.com/united/videos/123/?mibextid=x", "https://facebook.com/watch?v=123"),
    ("https://bsky.app/profile/Ann.Example/post/3k?ref=x", "https://bsky.app/profile/ann.example/post/3k"),
    // caches of other sites
    ("https://www.google.com/amp/s/www.example.com/a/amp/", "https://example.com/a"),
    ("https://www.google.co.uk/amp/example.com/a?id=1&usqp=mq", "https://example.com/a?id=1"),
    ("https://www-example-com.cdn.ampproject.org/c/s/www.example.com/a?amp", "https://example.com/a"),
];

/// Links that lead to different places.
const UNLIKE: &[(&str, &str)] = &[
    ("https://youtube.com/watch?v=A", "https://youtube.com/watch?v=B"),
    ("https://youtu.be/A", "https://youtu.be/a"),
    ("https://youtube.com/playlist?list=A", "https://youtube.com/playlist?list=B"),
    ("https://youtube.com/watch?v=A", "https://youtube.com/A"),
    ("https://youtube.com/embed/videoseries?list=A", "https://youtube.com/embed/videoseries?list=B"),
    ("https://example.com/a?id=1", "https://example.com/a?id=2"),
    ("https://example.com/a?id=1", "https://example.com/a"),
    ("https://example.com/a", "https://example.com/b"),
    ("https://example.com/a", "https://example.com/A"),
    ("https://example.com/a", "https://example.org/a"),
    ("https://example.com/a", "https://example.com:8080/a"),
    ("https://example.com/a", "https://m.sub.example.com/a"),
    ("https://example.com/a/b", "https://example.com/a%2Fb"),
    ("https://example.com/a?ref=main", "https://example.com/a?ref=dev"),
    ("https://example.com/a?s=1", "https://example.com/a?s=2"),
    ("https://example.com/a?t=1", "https://example.com/a?t=2"),
    ("https://example.com/a?amp=2", "https://example.com/a?amp=3"),
    ("https://example.com/a?x=1%262", "https://example.com/a?x=1&2"),
    ("https://example.com/a?q=a%2Bb", "https://example.com/a?q=a+b"),
    ("https://example.com/#!a", "https://example.com/#!b"),
    ("https://m.co.uk/a", "https://co.uk/a"),
    ("https://x.com/a/status/1", "https://x.com/a/status/2"),
    ("https://x.com/a", "https://x.com/b"),
    ("https://t.me/c/1", "https://t.me/c/2"),
    ("https://instagram.com/p/A", "https://instagram.com/p/a"),
    ("https://instagram.com/reels/audio/1", "https://instagram.com/reels/audio/2"),
    ("https://reddit.com/r/a", "https://reddit.com/r/b"),
    ("https://bsky.app/profile/a.example/post/3k", "https://bsky.app/profile/b.example/post/3k"),
];

/// What is no place to meet.
const NOWHERE: &[&str] = &[
    "",
    "https",
    "https:",
    "https://",
    "https:///a",
    "https://example.com",
    "https://example.com/",
    "https://example.com/#top",
    "https://example.com/index.html",
    "https://www.example.com/?utm_source=x",
    "https://youtu.be/",
    "example.com/a",
    "ftp://example.com/a",
    "at://did:plc:a/app.bsky.feed.post/1",
    "javascript:alert(1)//https://example.com/a",
    "https:example.com/a",
    "https://exa mple.com/a",
    "https://exa%6Dple.com/a",
    "https://exa\0mple.com/a",
    "https://example.com/a\u{1}b",
    "https://example..com/a",
    "https://.example.com/a",
    "https://.../a",
    "https://@/a",
    "https://example.com:99999/a",
    "https://example.com:+80/a",
    "https://a:b:c/d",
    "https://[::1/a",
    "https://[x]/a",
    "https://[]/a",
    "https://exa\u{a0}mple.com/a",
    "https://google.com/amp/s/google.com/amp/s/google.com/amp/s/google.com/amp/s/google.com/amp/s/example.com/a",
];

#[test]
fn every_address_of_a_page_is_one() {
    for (given, expected) in SAME {
        assert_eq!(form(given).as_deref(), Some(*expected), "{given}");
        assert_eq!(form(expected).as_deref(), Some(*expected), "again");
        assert_eq!(meeting(given.as_bytes()), meeting(expected.as_bytes()), "{given}");
    }
    assert!(SAME.len() >= 60);
}

/// Taken apart or not, a link has one form.
fn agrees(link: &[u8]) -> bool {
    let whole = canonical(link).map(|form| form.get(SCHEME.len()..).unwrap().to_vec());
    plain::form(link).is_none_or(|form| whole.as_deref() == Some(form))
}

#[test]
fn what_need_not_be_taken_apart_has_the_same_form() {
    let all = SAME.iter().chain(UNLIKE).flat_map(|(a, b)| [*a, *b]).chain(NOWHERE.iter().copied());
    let mut taken = 0;
    for link in all {
        assert!(agrees(link.as_bytes()), "{link}");
        taken += usize::from(plain::form(link.as_bytes()).is_some());
    }
    assert!(taken > 20, "{taken}");
    let plain = |link: &str| plain::form(link.as_bytes()).map(|b| String::from_utf8(b.to_vec()).unwrap());
    assert_eq!(plain("https://www.example.com/story/a.html/").as_deref(), Some("example.com/story/a.html"));
    for other in [
        "https://youtu.be/A",
        "https://m.example.com/a",
        "https://example.com/a?b=1",
        "https://example.com/a/index.php",
    ] {
        assert_eq!(plain(other), None, "{other}");
    }
}

#[test]
fn different_pages_stay_different() {
    for (a, b) in UNLIKE {
        assert!(form(a).is_some() && form(b).is_some(), "{a} {b}");
        assert_ne!(form(a), form(b));
        assert_ne!(meeting(a.as_bytes()), meeting(b.as_bytes()));
    }
}

#[test]
fn what_leads_nowhere_in_particular_is_no_place_to_meet() {
    for link in NOWHERE {
        assert_eq!((form(link), meeting(link.as_bytes())), (None, None), "{link}");
    }
    assert_eq!(canonical(b"https://ex\xff.com/a"), None);
    assert!(canonical(b"https://example.com/\xff").is_some(), "a path is bytes");
}

#[test]
fn a_link_to_a_post_of_the_network_is_that_post() {
    let post = Some(Meeting::Post(post_id(NETWORK, b"at://did:plc:abc/app.bsky.feed.post/3k")));
    for link in [
        "https://bsky.app/profile/did:plc:abc/post/3k",
        "http://www.bsky.app/profile/did%3Aplc%3Aabc/post/3k/?x=1#y",
        "https://bskx.app/profile/did:plc:abc/post/3k/liked-by",
    ] {
        assert_eq!(meeting(link.as_bytes()), post, "{link}");
    }
    let page = |link: &str| matches!(meeting(link.as_bytes()), Some(Meeting::Page(_)));
    assert!(page("https://bsky.app/profile/ann.example/post/3k"), "a handle is not known to be anybody");
    assert!(page("https://bsky.app/profile/did:plc:abc") && page("https://bsky.app/profile/did:plc:a%20/post/3k"));
    assert_ne!(meeting(b"https://bsky.app/profile/did:plc:ABC/post/3k"), post);
}

#[test]
fn ids_are_the_same_in_every_version() {
    let id = |link: &str| meeting(link.as_bytes()).map(|m| m.id());
    assert_eq!(id("https://www.example.com/a?b=1"), Some(PostId(hash::parts(&[b"link", b"example.com/a?b=1"]))));
}

#[test]
fn long_links_and_many_parameters_join_nothing() {
    let most = limits::JOINED_LINK_BYTES;
    let long = |n: usize| "https://example.com/".to_string() + &"a".repeat(n - 20);
    assert!(form(&long(most)).is_some() && form(&long(most + 1)).is_none());
    let grows = "https://example.com/".to_string() + &"é".repeat(most / 3);
    assert_eq!(form(&grows), None, "its form is too long");
    let with = |n: usize| "https://example.com/?".to_string() + &(0..n).map(|i| format!("p{i}&")).collect::<String>();
    assert!(form(&with(limits::LINK_PARAMETERS)).is_some() && form(&with(limits::LINK_PARAMETERS + 1)).is_none());
    let huge = "https://example.com/".to_string() + &"%00/../?&=#".repeat(1 << 20);
    assert_eq!(form(&huge), None);
    for part in ["/", "/..", "%", "?", "&", "#", ".", "a.amp", "/amp", ";jsessionid=", "%25", "\\", ":", "@", "[", "💥"]
    {
        let link = "https://example.com/".to_string() + &part.repeat(most / 5);
        let once = form(&link);
        assert_eq!(once.as_deref().and_then(form), once, "{part}");
    }
}

/// Pieces that links are made of, and that take parsers by surprise.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("www."),
        Just("m."),
        Just("amp."),
        Just(".m.wikipedia.org"),
        Just("example.com"),
        Just("co.uk"),
        Just("youtube.com"),
        Just("youtu.be"),
        Just("x.com"),
        Just("twitter.com"),
        Just("bsky.app"),
        Just("t.me"),
        Just("google.com"),
        Just("cdn.ampproject.org"),
        Just("reddit.com"),
        Just("instagram.com"),
        Just("redd.it"),
        Just("/"),
        Just("//"),
        Just("\\"),
        Just("."),
        Just(".."),
        Just("/index.html"),
        Just("/amp"),
        Just(".amp"),
        Just(".amp.html"),
        Just(";jsessionid="),
        Just("/watch"),
        Just("/shorts/"),
        Just("/status/"),
        Just("/i/web"),
        Just("/profile/"),
        Just("/post/"),
        Just("did:plc:a"),
        Just("/comments/"),
        Just("/p/"),
        Just("/c/s/"),
        Just("/amp/s/"),
        Just("?"),
        Just("&"),
        Just("="),
        Just("v="),
        Just("utm_a="),
        Just("#"),
        Just("#!"),
        Just("%"),
        Just("%2"),
        Just("%25"),
        Just("%2F"),
        Just("%2e"),
        Just("%00"),
        Just("%c3%a9"),
        Just("+"),
        Just(" "),
        Just(":"),
        Just("@"),
        Just("80"),
        Just("443"),
        Just("["),
        Just("]"),
        Just("é"),
        Just("İ"),
        Just("ΑΣ"),
        Just("💥"),
        Just("A"),
        Just("b"),
        Just("7"),
        Just("-"),
        Just("~"),
        Just("!"),
        Just("\u{7f}"),
        Just("\0"),
    ];
    (
        prop_oneof![Just("https://"), Just("HTTP://"), Just("https://example.com/"), Just("")],
        proptest::collection::vec(piece, 0..14),
    )
        .prop_map(|(start, all)| start.to_string() + &all.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn the_form_of_a_form_is_the_same(link in pieces()) {
        prop_assert!(agrees(link.as_bytes()), "{}", link);
        if let Some(once) = form(&link) {
            prop_assert_eq!(form(&once), Some(once.clone()), "{}", link);
            prop_assert!(once.starts_with("https://") && !once.contains(|c: char| c.is_control() || c == ' '), "{once}");
        }
    }

    #[test]
    fn any_bytes_do_no_harm(start in 0usize..3, bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut link = [&b"https://"[..], b"https://a.example/", b""][start].to_vec();
        link.extend(bytes);
        prop_assert!(agrees(&link));
        if let Some(once) = canonical(&link) {
            prop_assert_eq!(canonical(&once), Some(once));
        }
    }
}
