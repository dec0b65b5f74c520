//! Parameters that tell who passed a link on, not where it leads.

/// Beginnings of names, lower case.
const FAMILIES: [&[u8]; 7] = [b"utm_", b"mtm_", b"matomo_", b"piwik_", b"hsa_", b"__hs", b"fb_action_"];

/// Names that mean nothing else at any site: lower case, sorted.
const EVERYWHERE: [&[u8]; 92] = [
    b"__cft__%5b0%5d",
    b"__s",
    b"__tn__",
    b"__twitter_impression",
    b"_branch_match_id",
    b"_branch_referrer",
    b"_ga",
    b"_gl",
    b"_hsenc",
    b"_hsmi",
    b"_ke",
    b"_kx",
    b"_openstat",
    b"amp_gsa",
    b"amp_js_v",
    b"amp_kit",
    b"at_campaign",
    b"at_campaign_type",
    b"at_custom1",
    b"at_custom2",
    b"at_custom3",
    b"at_custom4",
    b"at_link_id",
    b"at_link_origin",
    b"at_link_type",
    b"at_medium",
    b"at_ptr_name",
    b"campaignid",
    b"cmpid",
    b"cvid",
    b"dclid",
    b"dicbo",
    b"dm_i",
    b"ef_id",
    b"epik",
    b"fb_ref",
    b"fb_source",
    b"fbclid",
    b"feedtype",
    b"ftag",
    b"gad_source",
    b"gbraid",
    b"gclid",
    b"gclsrc",
    b"guccounter",
    b"guce_referrer",
    b"guce_referrer_sig",
    b"hsctatracking",
    b"icid",
    b"ig_mid",
    b"ig_rid",
    b"igsh",
    b"igshid",
    b"irclickid",
    b"ito",
    b"li_fat_id",
    b"mc_cid",
    b"mc_eid",
    b"mibextid",
    b"mkt_tok",
    b"ml_subscriber",
    b"ml_subscriber_hash",
    b"msclkid",
    b"ncid",
    b"ns_campaign",
    b"ns_linkname",
    b"ns_mchannel",
    b"ns_source",
    b"ocid",
    b"oly_anon_id",
    b"oly_enc_id",
    b"rb_clickid",
    b"ref_src",
    b"ref_url",
    b"s_cid",
    b"sc_campaign",
    b"smid",
    b"smtyp",
    b"soc_src",
    b"soc_trk",
    b"sr_share",
    b"srsltid",
    b"taid",
    b"tpcc",
    b"ttclid",
    b"twclid",
    b"usqp",
    b"vero_id",
    b"wbraid",
    b"wickedid",
    b"xtor",
    b"yclid",
];

/// Names too common to be left out at every site, lower case.
fn at_site(host: &[u8]) -> &'static [&'static [u8]] {
    match host {
        b"x.com" => &[b"s", b"t", b"cn", b"cxt", b"ref", b"lang"],
        b"youtube.com" | b"youtu.be" => &[b"si", b"feature", b"pp", b"ab_channel", b"app", b"ref"],
        b"open.spotify.com" => &[b"si", b"context", b"nd", b"dlsi", b"go", b"sp_cid"],
        b"soundcloud.com" | b"on.soundcloud.com" => &[b"si", b"ref", b"p", b"c"],
        b"instagram.com" => &[b"hl", b"img_index", b"ref", b"taken-by"],
        b"facebook.com" | b"fb.watch" => {
            &[b"ref", b"refid", b"fref", b"hc_ref", b"rdid", b"share_url", b"sfnsn", b"paipv", b"eav", b"_rdr", b"_rdc"]
        }
        b"reddit.com" => &[b"ref", b"ref_source", b"share_id", b"context", b"rdt", b"correlation_id", b"st", b"sh"],
        b"tiktok.com" => &[b"_r", b"_t", b"is_from_webapp", b"sender_device", b"web_id", b"is_copy_url", b"lang"],
        b"threads.net" | b"threads.com" => &[b"xmt", b"slof"],
        b"linkedin.com" => &[b"trk", b"trackingid", b"lipi", b"refid", b"rcm", b"ref"],
        b"t.me" => &[b"single", b"embed"],
        b"bsky.app" => &[b"ref"],
        b"medium.com" => &[b"source", b"sk", b"ref"],
        b"theguardian.com" => &[b"cmp", b"ref"],
        b"nytimes.com" => {
            &[b"unlocked_article_code", b"partner", b"referringsource", b"emc", b"nl", b"te", b"pgtype", b"ref"]
        }
        b"washingtonpost.com" => &[b"pwapi_token", b"itid", b"ref"],
        b"bloomberg.com" => &[b"accesstoken", b"sref", b"srnd", b"ref"],
        b"wsj.com" => &[b"st", b"mod", b"reflink"],
        b"imdb.com" => &[b"ref_"],
        _ if host.ends_with(b".substack.com") || host == b"substack.com" => {
            &[b"r", b"s", b"isfreemail", b"triedredirect"]
        }
        _ => &[],
    }
}

/// Whether a parameter of a link to this host, both as compared, tells nothing of where it leads.
pub(super) fn is(host: &[u8], name: &[u8], value: &[u8]) -> bool {
    let mut lower = [0u8; 24];
    let Some(room) = lower.get_mut(..name.len().min(24)) else { return false };
    room.iter_mut().zip(name).for_each(|(to, from)| *to = from.to_ascii_lowercase());
    let start: &[u8] = room;
    if FAMILIES.iter().any(|family| start.starts_with(family)) {
        return true;
    }
    if name.len() > start.len() {
        return false;
    }
    match start {
        b"amp" => matches!(value, b"" | b"1" | b"true"),
        b"output" | b"outputtype" => value == b"amp",
        _ => EVERYWHERE.binary_search(&start).is_ok() || at_site(host).contains(&start),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_and_lower_case() {
        assert!(EVERYWHERE.is_sorted());
        let mut all = EVERYWHERE.iter().chain(&FAMILIES);
        assert!(all.all(|name| name.len() <= 24 && name.iter().all(|b| !b.is_ascii_uppercase())));
    }
}
