"""The words by which the rules know a subject, in English and the languages most written in.

Patterns only, to be searched in lower-case text; what they mean together is in `rules`. Words of
other languages than English are those of the commonest requests, so that a German poem counts as
one; whoever writes in another language is mostly missed, and docs/categories.md says so.
"""

from __future__ import annotations

import re


def words(alternatives: str) -> re.Pattern[str]:
    """Any of these as a whole word; one that ends in `\\w*` is a stem. Line breaks mean nothing."""
    return re.compile(rf"(?<!\w)(?:{_joined(alternatives)})(?!\w)")


def anywhere(alternatives: str) -> re.Pattern[str]:
    """Any of these at any place: for signs, and for scripts without blanks between words."""
    return re.compile(_joined(alternatives))


def _joined(alternatives: str) -> str:
    return "".join(line.strip() for line in alternatives.splitlines())


# One of these is enough to make a prompt about programming.
CODING = words(r"""
    python|javascript|typescript|c\+\+|c#|golang|kotlin|haskell|php|html5?|css3?|sql|sqlite|
    postgres(?:ql)?|mysql|mongodb|graphql|regex|regular expression|bash|powershell|shell script|
    docker(?:file)?|kubernetes|terraform|react(?:js)?|vue(?:\.?js)?|node\.?js|django|flask|
    fastapi|numpy|pandas|pytorch|tensorflow|leetcode|github|git|backend|frontend|stack ?trace|
    traceback|segfault|segmentation fault|null ?pointer\w*|unit tests?|refactor\w*|
    debug(?:ging)?|codebase|source code|code review|pull request|rest api|api endpoint|compiler|
    recursion|linked list|one-liner|\w{1,40}(?:error|exception):|
    in (?:java|rust|go|ruby|swift|perl|scala|julia)|binary (?:search|tree)|hash ?(?:map|table)|
    programm?ier\w*|quellcode|    programmation|programación|programação|программировани\w*
""")

# Two different ones of these are: each alone is an everyday word.
CODING_WEAK = words(r"""
    code|coding|script|programs?|programming|functions?|class(?:es)?|method|algorithms?|array|
    loops?|database|server|api|rust|go|java|ruby|swift|perl|scala|linux|
    library|package|module|variable|string|compile[sd]?|bug|error|exception|query|implement\w*|
    software|developer|app|website|deploy\w*|runtime|parse[rs]?|async\w*|código|funci(?:ón|on)|
    função|fonction|funktion|funzione|codice|skript|programm|programme|programma|fehler|erreur|
    код|функци\w*|программ\w*|скрипт|ошибк\w*
""")

CODING_CJK = anywhere(r"""
    代码|编程|函数|算法|コード|プログラム|関数|코드|프로그램|함수
""")

MATHEMATICS = words(r"""
    integral|integrals?|derivatives?|differentiate|antiderivative|theorem|lemma|corollary|
    polynomials?|quadratic|eigenvalues?|eigenvectors?|determinant|calculus|algebra\w*|geometry|
    trigonometr\w*|logarithms?|prime numbers?|factorial|permutations?|binomial|modulo|
    arithmetic|square root|cube root|hypotenuse|pythagore\w*|matrices|vector space|
    differential equations?|simultaneous equations?|solve for \w|prove that|how many ways|
    standard deviation|expected value|greatest common divisor|least common multiple|isomorphi\w*|
    topolog(?:y|ical)|converges?|gleichung(?:en)?|ableitung|équations?|dérivée|ecuaci(?:ón|ones)|derivada|
    equaç(?:ão|ões)|equazion[ei]|derivata|уравнени\w*|интеграл\w*|производн\w*|теорем\w*
""")

MATHEMATICS_WEAK = words(r"""
    equations?|probability|calculate|compute|solve|proof|prove|matrix|vectors?|
    triangle|circle|angle|radius|area|perimeter|volume|percent(?:age)?|fraction|
    dice|coins?|integers?|divisible|function|graph|berechne\w*|löse|wahrscheinlichkeit|calcul(?:e|er|a|ar|o)|
    résou\w*|probabilité|resuelve|probabilidad\w*|resolva|risolvi|реши\w*|вычисли\w*|
    вероятност\w*
""")

HOW_MANY = words(r"""
    how (?:many|much|far|long|old|fast)|wie (?:viele?|lange|weit)|combien|cuánt[oa]s?|quant[oaie]s?|
    сколько|hoeveel|ile
""")

MATHEMATICS_CJK = anywhere(r"""
    方程|积分|積分|导数|微分|概率|確率|証明せよ|证明|三角形|방정식|적분|확률
""")

# Formulas, and sums that are written out; a date or a version is none.
FORMULA = anywhere(r"""
    \\(?:frac|int|sum|sqrt|lim|mathbb|begin\{(?:equation|align|matrix|pmatrix|bmatrix))|
    \$[^$\n]{0,200}[\\^_=+][^$\n]{0,200}\$|[∫∑∏√≤≥∀∃∈∂∇]|(?<![\w.])\w{0,4}\^\(?-?\w|
    (?<![\w/.-])\d[\d.,]{0,20} ?[+*\u00d7\u00f7=] ?\(?\d|\d ?[+*/=-] ?[xyzn](?!\w)|
    (?<![\w])[xyz] ?[+*/-] ?\d{1,6} ?=|(?<!\w)[fgp]\([xn]\)
""")

# Somebody asks for a thing to be written ...
WRITE = words(r"""
    write|writing|compose|create|draft|make up|invent|tell|continue|generate|give me|craft|
    rewrite|turn|pen|imagine|rap|schreib\w*|verfass\w*|erfind\w*|dicht\w*|erzähl\w*|
    écri(?:s|re|vez)|compose[zr]?|invente[zr]?|racont\w*|rédige\w*|escrib\w*|invent[ae]\w*|
    cuénta\w*|cuenta|crea|compón|escrev\w*|cri[ea]|cont[ea]|componha|scriv\w*|inventa|
    racconta\w*|componi|напиши\w*|сочини\w*|придумай\w*|расскажи\w*|напиш\w*|schrijf|verzin|
    vertel|napisz|wymyśl|yaz\w*|tulis\w*|buatkan|skriv|viết|اكتب|लिख\w*
""")

# ... and the thing is made up, not found out.
GENRE = words(r"""
    poems?|poetry|haikus?|sonnets?|limericks?|ballad|ode|
    (?:short |love |bedtime |horror |fairy |ghost |children'?s )?stor(?:y|ies)(?! points?)|
    fairy ?tales?|tales?|fable|novel(?:la)?|chapter|scene|screenplay|lyrics|song|verse|rhymes?|
    rap|monologue|dialogue|fan ?fic\w*|fiction|plot|backstory|jokes?|riddles?|parody|satire|
    slogans?|taglines?|jingle|character|villain|protagonist|gedicht\w*|geschichte|märchen|lied|
    witz\w*|reim\w*|poèmes?|histoire|conte|chanson|blagues?|nouvelle|poemas?|cuentos?|
    historias?|canción|chistes?|relato|contos?|histórias?|canção|piadas?|poesi[ae]|raccont[oi]|
    storia|canzone|barzellett[ae]|favola|стих\w*|рассказ\w*|сказк\w*|песн\w*|истори[юя]|
    анекдот\w*|вірш\w*|казк\w*|gedicht|verhaal(?:tje)?|sprookje|grap|wiersz\w*|opowiadani\w*|
    bajk\w*|şiir\w*|hikaye\w*|masal\w*|puisi|cerita|dongeng|dikt|saga|novell|bài thơ|thơ|truyện|
    قصيدة|قصة|कविता|कहानी
""")

CREATIVE_CJK = anywhere(r"""
    [写寫创創作编編][^。\n]{0,20}(?:诗|詩|故事|小说|小說|歌词|童话|笑话)|
    (?:詩|俳句|物語|小説|歌詞|短歌|童話)[^。\n]{0,12}(?:書|作|考え)|
    (?:시|소설|이야기|동화|노래|가사)[를을 ][^.\n]{0,12}(?:써|지어|만들|작성)
""")

ROLEPLAY = words(r"""
    role ?-?play\w*|pretend (?:you|to be|that you)|act as if|in the style of|fan ?fiction|
    creative writing|world ?-?building|stay in character
""")

# Fields of knowledge beside programming and mathematics.
DOMAIN = words(r"""
    physics|quantum|thermodynamic\w*|relativity|chemi\w+|molecul\w*|biolog\w*|
    gen(?:e|es|etic|etics|ome)|protein\w*|cells?|enzyme\w*|medic\w+|clinical|patients?|
    diagnos\w+|symptoms?|drugs?|law|legal|contracts?|liabilit\w+|statutes?|patent\w*|
    tax(?:es|ation)?|econom\w+|inflation|financ\w+|invest(?:ment|ments|ing|or)|accounting|
    portfolio|statistic\w*|regression|hypothesis|bayesian|neural networks?|machine learning|
    transformers?|gradient|engineering|circuits?|voltage|semiconductor\w*|aerodynamic\w*|
    philosoph\w+|epistemolog\w+|linguistic\w*|grammar|etymolog\w+|archaeolog\w+|encryption|
    cryptograph\w*|protocols?|distributed|concurren\w+|latency|kernel|cpu|gpu|climate|geolog\w+|
    psycholog\w+|sociolog\w+|pharma\w+|supply chain|marketing|logistics|physik\w*|recht\w*|
    derecho|droit|física|química|физик\w*|хими\w*
""")

# Somebody wants a problem to be worked out, not a fact to be told.
PROBLEM = words(r"""
    solve|fix|debug|optimi[sz]e\w*|design|implement\w*|derive|prove|proof|compare|contrast|
    analy[sz]e\w*|analysis|evaluate|calculate|compute|estimate|improve|diagnose|plan|strategy|
    trade-?offs?|refactor\w*|explain why|explain how|why does|why is|why do|how would|how can|
    how should|how do i|what is wrong|what'?s wrong|determine|find (?:the|all|a)|build|develop|
    write an? (?:\w+ ){0,3}(?:function|program|script|query|class)|step[- ]by[- ]step|
    root cause|justify|löse|entwirf|vergleiche|erkläre|analysiere|résou\w*|compare[rz]?|
    expliqu\w*|resuelve|explica\w*|analiza|сравни|реши|объясни|докажи
""")

INVENT = words(r"""
    design|propose|invent\w*|brainstorm\w*|ideas?|suggest\w*|strateg(?:y|ies)|alternatives?|
    novel|original|creative|innovative|come up with|imagine|architecture|approach(?:es)?|devise|
    develop|build|create|plan|entwirf|propón
""")

TECHNICAL = words(r"""
    exact(?:ly)?|precise(?:ly)?|accurate(?:ly)?|correct(?:ly|ness)?|complexity|efficien\w+|
    performance|algorithms?|specification|version|configur\w+|edge cases?|
    assum(?:e|ing|ption|ptions)|constraints?|units?|rigorous\w*|formal\w*|
    \d+(?:\.\d+)? ?(?:kg|km|cm|mm|ms|gb|mb|kb|hz|khz|mhz|ghz|volts?|watts?|ohms?|°c|mol|kpa|psi)|
    o\((?:n|1|log n|n log n|n\^2)\)
""")

REAL_WORLD = words(r"""
    company|customers?|clients?|users?|team|manager|business|startup|production|project|budget|
    revenue|market|product|employees?|patients?|students?|school|hospital|office|app|website|
    server|database|data ?set|
    my (?:\w+ )?(?:code|car|house|job|boss|landlord|computer|laptop|garden|dog|cat|son|daughter)|
    email|report|invoice|orders?|factory|city|government|traffic|vehicles?|loan|mortgage|salary|
    rent|years? old|kunden|firma|entreprise|empresa|клиент\w*|компани\w*
""")
