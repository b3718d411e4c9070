"""Hungarian words of self-identification. Knows no names of models."""

from __future__ import annotations

from arena.self_identification.lexicon.roles import Role

HUNGARIAN = {
    Role.SELF: "én; vagyok; én vagyok; nem vagyok",
    Role.CALLED: "a nevem; az én nevem; hívj; hívjon; szólíts; nevem",
    Role.MAKER: """
        a készítőm; a készítőim; a fejlesztőm; a fejlesztőim; az alkotóm; az alkotóim;
        az engem fejlesztő cég
    """,
    Role.AS: "mint",
    Role.FIRST_PERSON: "nekem; tudok; nincs",
    Role.ME_BEFORE: "engem",
    Role.TRAINED: """
        fejlesztett; fejlesztette; fejlesztettek; fejlesztettem; betanított; tanított;
        tanítottak; képzett; létrehozott; hozott; hozta; létre; alkotott; készített;
        készítette; kifejlesztett; képeztek; tanította; tervezett; megalkotott; fejleszt;
        készítettek
    """,
    Role.MADE: "épített; kiadott",
    Role.BY_AFTER: "által; cég által; ai által; csapata által; vállalat által",
    Role.IS_LAST: "ként",
    Role.BY: "amelyet; akit; amit; az; a",
    Role.NAMED: "nevű; néven",
    Role.ARTIFICIAL: """
        nyelvi modell; mesterséges intelligencia; asszisztens; ai; mi; chatbot; modell;
        nagy nyelvi modell; virtuális asszisztens; csevegőrobot; ai asszisztens; nyelvmodell;
        bot; mesterséges intelligencia modell
    """,
    Role.ARTICLE: "egy",
    Role.FILLER: """
        nem; csak; valójában; és; vagy; is; ki; meg; csapat; cég; kutatók; eredetileg; de;
        hanem; lett
    """,
    Role.QUALITY: "nagy; virtuális; segítőkész; kis; digitális; fejlett",
    Role.ASSISTING: """
        segíteni; segíthetek; kérdések; kérdésekre; válaszolni; érzéseim; segítek; miben
    """,
    Role.GREETING: "szia; üdvözlöm; helló; természetesen; igen; jó; örülök; hogyan",
    Role.HYPOTHETICAL: """
        ha; mondta; mondja; képzeld; tegyük; gondolják; mondat; jelenti; mintha
    """,
    Role.CONTRARY: """
        születtem; mérnök; felhasználó; ügyfél; alkalmazott; rajongó; festő; király; királynő;
        lovag; csillagjegy; falu; feleség; férj; fia; lánya; éves; tanár; kapitány; kalóz;
        dolgozom; komornyik
    """,
    Role.TALE: "fejezet; suttogta; kiáltotta; hol volt",
}
