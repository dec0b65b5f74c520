//! Limits of the forms that messages take: Slack, PagerDuty, Alertmanager, mail, charts.

use crate::base::time::Span;

/// Least time between two calls of Slack.
pub const SLACK_GAP: Span = Span::seconds(1);
/// Bytes read of an answer of Slack, which repeats the message.
pub const SLACK_ANSWER_BYTES: usize = 256 << 10;
/// Blocks in a message of Slack.
pub const SLACK_BLOCKS: usize = 50;
/// Characters in all blocks of a message of Slack, as JSON; somewhat above, it is refused.
pub const SLACK_TOTAL: usize = 12_000;
/// Characters in a headline of Slack.
pub const SLACK_HEADER: usize = 150;
/// Characters in a section of Slack.
pub const SLACK_SECTION: usize = 3000;
/// Characters in a text of small print in Slack.
pub const SLACK_SMALL: usize = 300;
/// Texts, links or buttons in one block of Slack.
pub const SLACK_ELEMENTS: usize = 10;
/// Characters on a button of Slack.
pub const SLACK_BUTTON: usize = 75;
/// Characters of the text that Slack shows in notifications.
pub const SLACK_TEXT: usize = 3900;
/// Bytes of a channel's id or name in Slack.
pub const SLACK_CHANNEL: usize = 100;
/// Longest event of PagerDuty, in bytes.
pub const PAGERDUTY_BYTES: usize = 512 << 10;
/// Longest key by which PagerDuty knows an incident, in bytes.
pub const PAGERDUTY_KEY: usize = 255;
/// Length of the key of a service of PagerDuty.
pub const PAGERDUTY_ROUTING_KEY: usize = 32;
/// Characters of the line that PagerDuty shows of an incident.
pub const PAGERDUTY_SUMMARY: usize = 1024;
/// Characters of any other text in an event of PagerDuty.
pub const PAGERDUTY_FIELD: usize = 2000;
/// Named texts in an event of PagerDuty.
pub const PAGERDUTY_DETAILS: usize = 32;
/// Longest body that is read of what PagerDuty says, in bytes.
pub const PAGERDUTY_SAID_BYTES: usize = 256 << 10;
/// Signatures looked at of what PagerDuty says.
pub const PAGERDUTY_SIGNATURES: usize = 8;
/// Characters kept of who did something in PagerDuty.
pub const PAGERDUTY_AGENT: usize = 80;
/// Events of PagerDuty that are remembered, so that a repeat does nothing.
pub const PAGERDUTY_HEARD: usize = 1000;
/// Characters kept of the id of what PagerDuty says.
pub const PAGERDUTY_ID: usize = 100;
/// Replicas of Alertmanager that are told.
pub const ALERT_REPLICAS: usize = 16;
/// Labels of an alert, beside ours.
pub const ALERT_LABELS: usize = 30;
/// Longest name or value of a label, in bytes.
pub const ALERT_LABEL: usize = 200;
/// Longest annotation, in bytes.
pub const ALERT_ANNOTATION: usize = 3000;
/// Alerts remembered of one incident: it has one for each severity.
pub const ALERTS_PER_THREAD: usize = 4;
/// Alerts told in one post.
pub const ALERTS_AT_ONCE: usize = 100;
/// How long Alertmanager holds an alert that it is not told of again.
pub const ALERT_LASTS: Span = Span::seconds(240);
/// How long the end of an alert is told again.
pub const ALERT_ENDED_KEPT: Span = Span::seconds(900);
/// How long an alert is told again of which nothing new is heard.
pub const ALERT_FIRING_KEPT: Span = Span::seconds(7 * 86_400);
/// How long a letter waits for a replica that failed before.
pub const ALERT_PATIENCE: Span = Span::seconds(1);
/// Longest name that a receiver has for an incident, in bytes.
pub const HANDLE_BYTES: usize = 16 << 10;
/// Longest file of certificates, in bytes.
pub const CERTIFICATE_BYTES: u64 = 1 << 20;
/// Addresses one receiver mails to.
pub const MAIL_RECIPIENTS: usize = 32;
/// Lines, moments and accounts of each kind that a mail shows; fewer where their texts are long.
pub const MAIL_ITEMS: usize = 16;
/// Characters of one text in a mail.
pub const MAIL_TEXT_CHARS: usize = 600;
/// Longest address a mail links to, in bytes.
pub const MAIL_LINK_BYTES: usize = 1000;
/// Longest HTML of a mail, in bytes: large services show no more than 100 kB without a click.
pub const MAIL_HTML_BYTES: usize = 90_000;
/// Bytes read of a mail server while one mail is handed over.
pub const MAIL_ANSWER_BYTES: usize = 64 << 10;
/// How long a connection to a mail server is kept for the next mail.
pub const MAIL_IDLE: Span = Span::seconds(60);
/// Points drawn of a chart; of more, the highest of each stretch.
pub const CHART_POINTS: usize = 600;
/// Named marks drawn in a chart; the first ones.
pub const CHART_NAMED: usize = 8;
/// Characters of one name in a chart.
pub const CHART_NAME_CHARS: usize = 24;
/// Longest picture of a chart, in bytes.
pub const CHART_BYTES: usize = 150_000;
