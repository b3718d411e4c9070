"""Danish words, and Norwegian (Bokmål) ones beside them. Knows no names of models."""

from __future__ import annotations

from arena.self_identification.lexicon.roles import Role

DANISH = {
    Role.SELF: "jeg er; er jeg",
    Role.CALLED: """
        jeg hedder; mit navn er; navnet mitt er; du kan kalde mig; kald mig; du kan kalle meg;
        kall meg; jeg heter; jeg kaldes; jeg kalles; jeg bliver kaldt
    """,
    Role.PASSIVE: "jeg blev; jeg ble; jeg har blitt; jeg er blevet; jeg er blitt",
    Role.RUNS_ON: """
        du taler/snakker/chatter/prater med; jeg bygger på; jeg er baseret/basert på;
        jeg kører/kjører på; jeg kommer fra; jeg tilhører; jeg er en del af/av;
        jeg er et produkt af/av; jeg er en version/versjon af/av
    """,
    Role.MAKER: """
        min skaber; mine skabere; min udvikler; mine udviklere; min skaper; mine skapere;
        min utvikler; mine utviklere; firmaet bag mig; selskapet bak meg
    """,
    Role.AS: "i egenskab af; som en; som et; som ett",
    Role.THIS_IS: "dette/det er",
    Role.HERE: "til tjeneste; til din tjeneste; er mit navn; er navnet mitt",
    Role.FIRST_PERSON: "jeg; min; mine; mit; mitt",
    Role.ME_BEFORE: "mig; meg",
    Role.TRAINED: """
        udvikl*; utvikl*; træn*; tren*; skabt; skabte; skapt; skapte; programmer*; designet;
        laget av
    """,
    Role.MADE: "bygget; lavet; laget; bygd; lanceret; lansert; udgivet; utgitt",
    Role.BY: "af; av; fra",
    Role.AT: "hos; i; ved; på",
    Role.NAMED: "kaldet; kalt; ved navn; der hedder; som heter; kendt som; kjent som",
    Role.ARTIFICIAL: """
        ai; ai assistent; ai model; ai modell; sprogmodel; språkmodell; assistent;
        kunstig intelligens; chatbot; model; modell; llm; ki; virtuel assistent;
        virtuell assistent; bot; dataprogram; ki assistent; ki modell
    """,
    Role.ARTICLE: "en; et; den; det; din; ett",
    Role.FILLER: """
        ikke; bare; faktisk; egentlig; og; eller; også; der; er; har; blevet; blitt; team;
        teamet; virksomheden; selskapet; firmaet; forskere; ingeniører; oprindeligt;
        opprinnelig; men; et team; som
    """,
    Role.QUALITY: """
        stor; stort; virtuel; virtuell; hjælpsom; hjelpsom; lille; liten; digital; avanceret;
        avansert; kunstig
    """,
    Role.ASSISTING: """
        hjælpe; hjelpe; hjælpe dig; hjelpe deg; spørgsmål; spørsmål; svare; holdninger;
        meninger; følelser
    """,
    Role.GREETING: "hej; hei; hallo; selvfølgelig; ja; velkommen; gerne; gjerne; goddag",
    Role.HYPOTHETICAL: """
        hvis; om; sagde; sa; siger; sier; tænk; tror; sætning; setning; betyder; betyr
    """,
    Role.CONTRARY: """
        født; butler; ingeniør; bruger; bruker; kunde; ansat; ansatt; fan; maler; konge;
        dronning; ridder; stjernetegn; landsby; kone; mand; søn; sønn; datter; år; lærer;
        kaptajn; kaptein; pirat; drage; arbejder; jobber
    """,
    Role.TALE: "kapitel; kapittel; hviskede; hvisket; mumlede",
}
