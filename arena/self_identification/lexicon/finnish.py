"""Finnish words of self-identification. Knows no names of models."""

from __future__ import annotations

from arena.self_identification.lexicon.roles import Role

FINNISH = {
    Role.SELF: "olen; minä olen; en ole; minä en ole",
    Role.CALLED: """
        nimeni on; minun nimeni on; voit kutsua minua; kutsu minua; minua kutsutaan;
        minun nimi on
    """,
    Role.PASSIVE: "minut on; minua ei ole",
    Role.RUNS_ON: "puhut nyt; keskustelet; perustun; toimin; pohjaudun; kuulun",
    Role.MAKER: """
        luojani; luojani on; kehittäjäni; kehittäjäni on; minun kehittäjäni;
        minut kehittänyt yritys on; valmistajani on; tekijäni
    """,
    Role.THIS_IS: "tämä on",
    Role.HERE: "palveluksessasi; tässä; täällä",
    Role.FIRST_PERSON: "minä; minun; minulla; minua; voin",
    Role.ME_BEFORE: "minut",
    Role.TRAINED: """
        kehittä*; koulutta*; kouluttama*; luoma; luonut; loi; suunnittel*; ohjelmoi*;
        kehitetty; koulutettu; luotu; opettama; kehitti; koulutti
    """,
    Role.MADE: "tekemä; tehnyt; rakentama; rakennettu; julkaisema; teki; valmistama",
    Role.BY_AFTER: "n; in; en; ön; ilta; yhtiön; yrityksen; tiimin; alta",
    Role.NAMED: "nimeltä; nimeltään; nimeltäni",
    Role.ARTIFICIAL: """
        kielimalli; tekoäly; tekoälyavustaja; avustaja; chatbot; keskustelubotti; malli;
        suuri kielimalli; virtuaaliavustaja; tekoälymalli; botti; ai; tekoälyassistentti;
        assistentti; tietokoneohjelma; tekoälykielimalli
    """,
    Role.ARTICLE: "yksi; eräs",
    Role.FILLER: """
        vain; itse asiassa; ja; tai; myös; joka; jonka; tiimi; yritys; yhtiö; tutkijat;
        alun perin; mutta; vaan; ole; todella
    """,
    Role.QUALITY: "suuri; virtuaalinen; avulias; pieni; digitaalinen; edistynyt",
    Role.ASSISTING: "auttaa; auttaa sinua; kysymyksiä; vastata; tunteita; mielipiteitä",
    Role.GREETING: "hei; moi; terve; tietenkin; toki; kyllä; tervetuloa; hauska",
    Role.HYPOTHETICAL: "jos; sanoi; sanoo; kuvittele; luulevat; lause; tarkoittaa",
    Role.CONTRARY: """
        syntynyt; synnyin; insinööri; käyttäjä; asiakas; työntekijä; fani; maalari; kuningas;
        kuningatar; ritari; horoskooppi; kylä; vaimo; mies; poika; tytär; vuotta; opettaja;
        kapteeni; merirosvo; töissä; hovimestari
    """,
    Role.TALE: "kuiskasi; huudahti; olipa",
}
