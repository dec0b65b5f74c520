//! The commonest words of several languages, by falling frequency.

pub struct Language {
    pub code: &'static str,
    /// Part of the posts.
    pub share: f64,
    pub words: &'static str,
    /// What stands between words.
    pub space: &'static str,
    /// What ends a sentence.
    pub stop: &'static str,
}

pub const LANGUAGES: &[Language] = &[
    Language {
        code: "en",
        share: 0.46,
        space: " ",
        stop: ".",
        words: "the to and a of i in is you that it for this my on be with was have not so but are just they we at me like if all as what your can do people get from or about one now an how will out when up good time there no know think more really love he has by would want got even day she who see back need today new make going his still don't their right being over only here these because some why other way much them her too been work than go never take could first then say well any had off lot years our into year after game feel thing down something look life art am always bad every great things last before most also where best every ever those through made man own thank hope long hate real world live wait terrible broken flight order bank help please morning week sure yes little friend trying show read feeling wrong thought post bit most home place next keep having since watch old night better maybe both ask start",
    },
    Language {
        code: "ja",
        share: 0.20,
        space: "",
        stop: "。",
        words: "の に は て を が で と し た な い も れ だ ら か す る ます です から ない こと よう 思 今日 人 見 私 何 これ それ 日 好き 時 さん ちゃん 本当 楽しい おはよう 今 自分 良い 気 方 中 行 出 来 食べ 前 ありがとう 絵 ゲーム 仕事 明日 少し 全部 可愛い すごい 写真 美味しい 最近 新しい 始め 終わり 朝 夜 電車 雨 寒い 暑い",
    },
    Language {
        code: "pt",
        share: 0.10,
        space: " ",
        stop: ".",
        words: "de que e o a não eu um é do da em para com uma os no se na por mais as mas como foi ao ele das tem à seu sua ou ser quando muito há nos já está também só pelo pela até isso ela entre era depois sem mesmo aos ter seus quem nas me esse eles você foram essa num nem minha gente hoje bem fazer dia vai tudo agora tô pra vou coisa nunca melhor vida",
    },
    Language {
        code: "de",
        share: 0.06,
        space: " ",
        stop: ".",
        words: "die der und in zu den das nicht von sie ist des sich mit dem dass er es ein ich auf so eine auch als an nach wie im für man aber aus durch wenn nur war noch werden bei hat wir was wird sein einen welche sind oder zur um haben einer mir über ihm diese einem ihr uns da zum kann doch vor dieser mich ihn du hatte seine mehr am denn nun unter sehr selbst schon hier bis habe heute gut übrigens schön grüße",
    },
    Language {
        code: "es",
        share: 0.06,
        space: " ",
        stop: ".",
        words: "de la que el en y a los se del las un por con no una su para es al lo como más o pero sus le ha me si sin sobre este ya entre cuando todo esta ser son dos también fue había era muy años hasta desde está mi porque qué sólo han yo hay vez puede todos así nos ni parte tiene él uno donde bien tiempo mismo ese ahora cada vida día hoy gracias",
    },
    Language {
        code: "fr",
        share: 0.04,
        space: " ",
        stop: ".",
        words: "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont la mais ont avec ou son lui nous comme aux ses cette fait été aussi leur bien peut tout même où après sans être elle très c'est j'ai encore moi rien monde jour temps vie ça déjà toujours jamais",
    },
    Language {
        code: "ko",
        share: 0.04,
        space: " ",
        stop: ".",
        words: "이 그 저 것 수 나 내 오늘 진짜 너무 정말 좋은 사람 생각 지금 하는 있는 없는 그냥 우리 다시 많이 같은 제가 아니 근데 그리고 하고 해서 했는데 보고 싶다 좋아 감사합니다 안녕하세요 사진 게임 내일 어제 시간",
    },
    Language {
        code: "ru",
        share: 0.02,
        space: " ",
        stop: ".",
        words: "и в не на я что он с как это а то все она так его но да ты к у же вы за бы по только ее мне было вот от меня еще нет о из ему теперь когда даже ну вдруг ли если уже или ни быть был него до вас Привет сегодня очень хорошо",
    },
    Language {
        code: "th",
        share: 0.02,
        space: "",
        stop: "",
        words: "ที่ ใน และ เป็น ของ มี ไม่ ได้ ให้ การ ว่า จะ ก็ ไป มา กับ คน นี้ วัน แล้ว รัก ดี มาก ขอบคุณ วันนี้ สวย กิน",
    },
];
