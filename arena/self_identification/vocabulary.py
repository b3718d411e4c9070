"""Well-known language models and their makers, as answers spell them.

Knows neither the registry nor any grammar. Names of the registry come on top. Case, accents and
look-alike letters are folded away before these are compared, and a version may follow any of them.
"""

# ruff: noqa: RUF001 -- these letters are meant, though they look like Latin ones

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(" ".join(name.split()) for name in text.split(";") if name.strip())


MODELS = _names(
    """
    ChatGPT; Chat GPT; GPT; InstructGPT; o1-preview; o1-mini; o3-mini; o4-mini; GPT-OSS;
    Codex CLI; Claude AI; Claude Sonnet; Claude Opus; Claude Haiku; Claude Instant;
    Claude Code; Gemini Pro; Gemini Flash; Gemini Ultra; Gemini Nano; Google Bard;
    Google Gemini; PaLM 2; LaMDA; Google Assistant; Meta Llama; CodeLlama; Code Llama;
    TinyLlama; LLaMA 2; Llama 3; Llama 4; SmolLM; SmolLM2; SmolLM3; SmolVLM; HuggingChat;
    StarCoder; StarChat; Qwen; QwQ; QVQ; Tongyi; Tongyi Qianwen; DeepSeek; DeepSeek-R1;
    DeepSeek-V3; Mixtral; Codestral; Ministral; Pixtral; Magistral; Devstral; Mistral 7B;
    Mistral Large; Mistral Small; Le Chat; ChatGLM; GLM-4; GLM; InternLM; Baichuan;
    ERNIE Bot; Wenxin Yiyan; Hunyuan; Doubao; Moonshot Kimi; MiniMax-M1; Hailuo; Skywork;
    Yi-34B; Yi-Large; 01.AI Yi; OLMo; Tülu; Tulu 3; Phi-2; Phi-3; Phi-4; Pythia; GPT-J;
    GPT-NeoX; GPT-Neo; BLOOM-176B; BLOOMZ; Falcon LLM; Falcon 40B; Command R; Command A;
    Command-R+; Aya Expanse; Jamba; DBRX; MPT-7B; StableLM; Stable LM; RedPajama;
    OpenAssistant; Open Assistant; WizardLM; WizardCoder; OpenHermes; Nous Hermes; OpenChat;
    NeuralChat; Koala-13B; FastChat-T5; Nemotron; Megatron; Amazon Nova; Amazon Titan;
    Nova Pro; Nova Micro; Nova Lite; Amazon Q; Microsoft Copilot; GitHub Copilot; Bing Chat;
    Grok-1; Grok-2; Grok-3; Grok-4; Inflection-2; Luminous-Supreme;
    Pharia; EXAONE; HyperCLOVA; HyperCLOVA X; CLOVA X; SOLAR-10.7B; KULLM; Polyglot-Ko;
    GigaChat; YandexGPT; YaLM; Saiga; PLaMo; ELYZA; Swallow-LLM; rinna-GPT; Sarvam-M;
    Airavata; Krutrim; SEA-LION; SeaLLM; Sailor2; Typhoon-LLM; OpenThaiGPT; PhoGPT; Vistral;
    Bielik; PLLuM; GPT-SW3; Poro-34B; Viking-7B; EuroLLM; Teuken; Minerva-LLM;
    Salamandra-LLM; ALLaM; Jais-30B; AceGPT; Fanar; Noor-LLM; Cerebras-GPT; LFM2; MiMo;
    Seed-OSS; ЧатГПТ; Чат ГПТ; ГигаЧат; ЯндексГПТ; Алиса AI; ДипСик; Квен; تشات جي بي تي;
    شات جي بي تي; چت جی پی تی; چت‌جی‌پی‌تی; جي بي تي; चैटजीपीटी; चैट जीपीटी; जीपीटी;
    চ্যাটজিপিটি; 通义千问; 通義千問; 千问; 千問; 文心一言; 文心; 豆包; 讯飞星火; 星火; 混元;
    智谱清言; 天工; 盘古; 克劳德; 克勞德; 书生·浦语; 百川; チャットGPT;
    チャットジーピーティー; クロード; ジェミニ; 챗GPT; 챗지피티; 하이퍼클로바;
    하이퍼클로바X; 클로바X; 엑사원; 클로드; 제미나이; 제미니; 딥시크; 라마 3; แชทจีพีที;
    แชตจีพีที; צ'אט GPT; צ'אט ג'יפיטי
    """
)

WORDLIKE_MODELS = _names(
    """
    Claude; Gemini; Llama; LLaMA; Phi; Command; Nova; Sonnet; Opus; Haiku; Titan; Falcon;
    Bard; Copilot; Mistral; Gemma; Grok; Ernie; Kimi; Aya; Alexa; Siri; Cortana; Bixby;
    Vicuna; Alpaca; Dolly;
    Orca; Zephyr; Hermes; Granite; Jurassic; Bloom; Guanaco; Koala; Pi; Luminous; Yi;
    Palmyra; Sonar; Tulu; Starling; Samantha; Sydney; Bing; Viking; Poro; Jais; Typhoon;
    Sailor; Salamandra; Minerva; PaLM; Apertus; Lumo; o1; o3; o4; R1; Kimi K2; Codex; Клод;
    Клода; Джемини; Лама; Мистраль; Грок; Алиса; كلود; جيميني; جيمناي; لاما; فالكون; کلود;
    क्लाउड; क्लॉड; जेमिनी; जेमिनाई; קלוד; ג'מיני; Κλοντ; ミストラル; ラマ; คลอด; เจมินี
    """
)

MAKERS = _names(
    """
    OpenAI; Open AI; Anthropic; Anthropic AI; Anthropic PBC; Google DeepMind; DeepMind;
    Google AI; Google Research; Google Brain; Meta AI; Facebook AI; Facebook AI Research;
    Meta Platforms; FAIR; Microsoft Research; Mistral AI; MistralAI; Cohere AI;
    Cohere For AI; Cohere Labs; Hugging Face; HuggingFace; HuggingFaceTB; Hugging Face TB;
    xAI; x.AI; Alibaba Cloud; Alibaba Group; Qwen Team; Alibaba DAMO; DAMO Academy;
    DeepSeek AI; Zhipu AI; ZhipuAI; Z.ai; 01.AI; Moonshot AI; MiniMax AI; Stability AI;
    StabilityAI; EleutherAI; Eleuther AI; BigScience; BigCode; Nous Research; LMSYS;
    Allen Institute for AI; Allen Institute for Artificial Intelligence; AI2; Ai2; AllenAI;
    LAION; Technology Innovation Institute; TII; MosaicML; Databricks; AI21; AI21 Labs;
    Inflection AI; Character.AI; Adept AI; Reka AI; Aleph Alpha; Together AI;
    Together Computer; Perplexity AI; Shanghai AI Laboratory; Shanghai AI Lab; Baichuan Inc;
    ByteDance Seed; Naver Cloud; LG AI Research; Upstage AI; Preferred Networks; rinna;
    ELYZA; Sarvam AI; AI Singapore; SCB 10X; Liquid AI; Arcee AI; Writer Inc; Kunlun Tech;
    Beijing Academy of Artificial Intelligence; BAAI; G42; MBZUAI; SambaNova; Cerebras;
    Snowflake AI; Nomic AI; BSC-CNS; SDAIA; Swiss AI; LightOn; Silo AI; OpenAI社;
    Anthropic社; オープンAI; オープンエーアイ; アンソロピック; ハギングフェイス; 深度求索;
    智谱; 智谱AI; 智譜; 月之暗面; 零一万物; 阶跃星辰; 稀宇科技; 达摩院; 阿里云; 阿里雲;
    通义实验室; 上海人工智能实验室; 商汤; 科大讯飞; 百川智能; 昆仑万维; 面壁智能; 오픈AI;
    오픈에이아이; 앤트로픽; 앤스로픽; 허깅페이스; 네이버클라우드; ОпенАИ; ОпенЭйАй;
    Антропик; Хаггинг Фейс; أوبن إيه آي; أوبن أي آي; أوبن ايه اي; اوبن اي اي; أنثروبيك;
    انثروبيك; هاجينج فيس; اوپن‌ای‌آی; اوپن ای آی; آنتروپیک; ओपनएआई; ओपन एआई; ओपनएआइ;
    एंथ्रोपिक; एन्थ्रोपिक; हगिंग फेस; אופן איי איי; אנתרופיק; โอเพนเอไอ; Сбер AI; SberDevices;
    СберДевайсы
    """
)

EVERYDAY_MAKERS = _names(
    """
    Google; Google LLC; Alphabet; Meta; Facebook; Microsoft; Amazon; AWS; Apple; NVIDIA;
    IBM; Intel; Samsung; LG; Sony; Baidu; Alibaba; Tencent; ByteDance; Huawei; Xiaomi;
    Naver; Kakao; Yandex; Sber; Sberbank; Salesforce; Snowflake; Oracle; Adobe; Cohere;
    Inflection; Reka; Upstage; Perplexity; Lightricks; Tesla; Twitter; Rakuten; NTT;
    Fujitsu; SoftBank; Reliance; Гугл; Гуглом; Яндекс; Яндексом; Сбер; Сбером; Сбербанк;
    Сбербанком; Мета; Майкрософт; جوجل; غوغل; گوگل; ميتا; مايكروسوفت; مایکروسافت; गूगल;
    मेटा; माइक्रोसॉफ्ट; গুগল; גוגל; מטא; מיקרוסופט; 谷歌; 百度; 阿里巴巴; 阿里; 腾讯; 騰訊;
    字节跳动; 字節跳動; 华为; 華為; 微软; 微軟; 小米; 亚马逊; 英伟达; グーグル;
    マイクロソフト; メタ; アマゾン; アップル; 楽天; 구글; 네이버; 카카오; 메타;
    마이크로소프트; 삼성; 애플; 아마존; กูเกิล; ไมโครซอฟท์; เมตา; Γκουγκλ; Фейсбук
    """
)

# After a name, these make it the name of a version.
VERSION_WORDS = frozenset(
    [
        "pro",
        "ultra",
        "flash",
        "nano",
        "mini",
        "turbo",
        "sonnet",
        "opus",
        "haiku",
        "instruct",
        "chat",
        "plus",
        "large",
        "medium",
        "preview",
        "beta",
        "advanced",
        "coder",
        "lite",
        "micro",
        "vision",
        "instant",
        "instruct",
        "vl",
        "hf",
        "oss",
        "exp",
        "thinking",
        "reasoner",
    ]
)

# A name made of these alone says nothing about who speaks.
GENERIC_WORDS = frozenset(
    [
        "a",
        "an",
        "the",
        "ai",
        "assistant",
        "model",
        "models",
        "language",
        "large",
        "small",
        "tiny",
        "base",
        "chat",
        "chatbot",
        "bot",
        "llm",
        "lm",
        "test",
        "open",
        "free",
        "new",
        "my",
        "our",
        "your",
        "helpful",
        "instruct",
        "agent",
        "local",
        "default",
        "demo",
        "side",
        "left",
        "right",
        "one",
        "two",
        "first",
        "second",
        "system",
        "user",
        "human",
        "robot",
        "machine",
        "program",
        "computer",
        "text",
        "general",
        "good",
        "better",
        "best",
        "worse",
        "bad",
        "fast",
        "slow",
        "scripted",
        "fake",
        "random",
        "and",
        "or",
        "of",
        "with",
        "by",
        "for",
        "in",
        "on",
        "at",
        "b",
        "c",
        "d",
        "e",
    ]
)
