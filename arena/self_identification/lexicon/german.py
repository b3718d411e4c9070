"""German words of self-identification. Knows no names of models."""

from __future__ import annotations

from arena.self_identification.lexicon.roles import Role

GERMAN = {
    Role.SELF: "ich bin; bin ich; ich heiße; heiße ich",
    Role.CALLED: """
        mein name ist; mein name lautet; du kannst/darfst mich; sie können/dürfen mich;
        nenn/nenne/nennen mich; nennen sie mich; man nennt mich; ich höre auf den namen;
        ich bin bekannt als; ich trage den namen; bekannt bin ich als
    """,
    Role.PASSIVE: "ich wurde; wurde ich; ich werde; worden bin ich",
    Role.RUNS_ON: """
        du sprichst/schreibst/redest/chattest mit; sie sprechen/schreiben/chatten mit;
        ich basiere auf; ich laufe auf/mit; ich beruhe auf; ich stamme von/aus;
        ich komme von/aus; ich gehöre zu/zur; ich bin teil von/der/des;
        ich bin eine version/instanz von; ich bin ein produkt von; ich werde betrieben von;
        ich bin eines der; ich bin kein produkt von
    """,
    Role.MAKER: """
        mein entwickler; meine entwickler; meine entwicklerin; mein schöpfer; meine schöpfer;
        mein hersteller; mein ersteller; meine ersteller; meine entwicklerfirma;
        das unternehmen hinter mir; mein anbieter; meine macher; mein basismodell
    """,
    Role.AS: "als",
    Role.THIS_IS: "hier spricht; das ist; dies ist; hier ist",
    Role.HERE: """
        zu ihren diensten; zu deinen diensten; hier; ist mein name; am apparat; zur stelle
    """,
    Role.FIRST_PERSON: "ich; mein; meine; mir; meiner",
    Role.ME_BEFORE: "mich",
    Role.TRAINED: """
        entwickel*; trainier*; erschaffen; erschuf; geschaffen; schuf; programmier*;
        entworfen; konzipiert*; feinabgestimmt*; ausgebildet; angelernt; erstellt*; kreiert;
        feinjustiert
    """,
    Role.MADE: """
        gebaut*; gemacht*; hergestellt*; veröffentlicht*; bereitgestellt*; herausgebracht;
        betrieben*; stammt; stamme
    """,
    Role.BY: "von; vom; durch; aus; auf basis von; auf grundlage von; auf",
    Role.AT: "bei; im; in",
    Role.NAMED: "namens; genannt; mit namen; mit dem namen; bekannt als; der heißt; heißt",
    Role.ARTIFICIAL: """
        ki; ki modell; ki assistent; ki assistentin; ki sprachmodell; sprachmodell;
        sprachmodelle; sprachmodells; assistent; assistentin; künstliche intelligenz; chatbot;
        modell; llm; sprachassistent; ai; dialogsystem; programm; computerprogramm; system;
        ki system; modelle; bot; sprach ki
    """,
    Role.ARTICLE: """
        ein; eine; einer; einem; einen; der; die; das; dem; den; kein; keine; dein; ihr;
        eines; des
    """,
    Role.FILLER: """
        nicht; nur; einfach; eigentlich; und; oder; auch; wurde; werde; ist; hat; haben; team;
        teams; unternehmen; firma; forschern; ingenieuren; forschungsteam; ursprünglich;
        speziell; übrigens; natürlich; aber; sondern; derzeit; tatsächlich; amerikanischen;
        französischen; chinesischen; startup; wirklich; weder; noch; worden; mitarbeitern;
        experten; so
    """,
    Role.QUALITY: """
        große; großes; großer; virtueller; virtuelle; hilfreicher; hilfreiches; kleines;
        freundlicher; digitaler; künstliche; fortschrittliches; offenes; mehrsprachiges;
        generatives
    """,
    Role.ASSISTING: """
        helfen; fragen; ihnen helfen; dir helfen; behilflich; beantworten; meinung; gefühle;
        unterstützen; antworten; weiterhelfen
    """,
    Role.GREETING: """
        hallo; hi; guten tag; gerne; gern; klar; ja; willkommen; freut mich; moin; servus;
        danke; wie
    """,
    Role.HYPOTHETICAL: """
        wenn; falls; sagte; sagt; sagen; stell; angenommen; denken; glauben; ob; satz;
        bedeutet; wäre; behauptet; rief
    """,
    Role.CONTRARY: """
        geboren; butler; ingenieur; ingenieurin; nutzer; nutzerin; kunde; kundin; mitarbeiter;
        mitarbeiterin; angestellter; fan; maler; könig; königin; ritter; sternzeichen;
        zwilling; dorf; frau; mann; sohn; tochter; jahre; lehrer; lehrerin; kapitän; pirat;
        drache; fluss; bäcker; detektiv; arbeite; buchhaltung; schwester; bruder; vater;
        mutter; komponist; wind; philosoph; superheld
    """,
    Role.TALE: "kapitel; flüsterte; murmelte; es war einmal; seufzte; erwiderte",
}
