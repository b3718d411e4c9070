"""Swedish words of self-identification. Knows no names of models."""

from __future__ import annotations

from arena.self_identification.lexicon.roles import Role

SWEDISH = {
    Role.SELF: "jag är; är jag",
    Role.CALLED: """
        jag heter; mitt namn är; du kan kalla mig; kalla mig; jag kallas; man kallar mig;
        mitt namn
    """,
    Role.PASSIVE: "jag har; jag blev; jag har blivit; jag har inte",
    Role.RUNS_ON: """
        du pratar/talar/chattar med; jag bygger på; jag är baserad på; jag körs på;
        jag kommer från; jag tillhör; jag är en del av; jag är en produkt/version av;
        jag drivs av
    """,
    Role.MAKER: """
        min skapare; mina skapare; min utvecklare; mina utvecklare; företaget bakom mig
    """,
    Role.AS: "i egenskap av; som en; som ett",
    Role.THIS_IS: "det här är; detta är",
    Role.HERE: "till din tjänst; till er tjänst; är mitt namn",
    Role.FIRST_PERSON: "jag; min; mina; mitt",
    Role.ME_BEFORE: "mig",
    Role.TRAINED: """
        utveckla*; träna*; skapad; skapades; skapats; skapade; programmera*; utformad;
        utformats; designad; finjusterad
    """,
    Role.MADE: "byggd; byggts; byggdes; gjord; tillverkad; lanserad; släppt; byggde",
    Role.BY: "av; från",
    Role.AT: "hos; på; i; inom",
    Role.NAMED: "kallad; vid namn; som heter; med namnet; känd som",
    Role.ARTIFICIAL: """
        ai; ai assistent; ai modell; språkmodell; assistent; artificiell intelligens; chatbot;
        chattbot; modell; llm; virtuell assistent; ai språkmodell; datorprogram; bot
    """,
    Role.ARTICLE: "en; ett; den; det; din",
    Role.FILLER: """
        inte; bara; faktiskt; egentligen; och; eller; också; är; blivit; team; teamet;
        företaget; företag; forskare; ingenjörer; ursprungligen; men; utan; ett team;
        speciellt; som
    """,
    Role.QUALITY: "stor; stort; virtuell; hjälpsam; liten; digital; avancerad; artificiell",
    Role.ASSISTING: "hjälpa; hjälpa dig; hjälpa till; frågor; svara; åsikter; känslor",
    Role.GREETING: "hej; hejsan; självklart; visst; ja; välkommen; tjena; gärna; trevligt",
    Role.HYPOTHETICAL: "om; sade; sa; säger; säga; tänk; tror; mening; betyder; ifall",
    Role.CONTRARY: """
        född; butler; ingenjör; användare; kund; anställd; fan; målare; kung; drottning;
        riddare; stjärntecken; by; fru; man; son; dotter; lärare; kapten; pirat; drake;
        jobbar; arbetar
    """,
    Role.TALE: "kapitel; viskade; mumlade; det var en gång",
}
