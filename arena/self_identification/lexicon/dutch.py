"""Dutch words of self-identification. Knows no names of models."""

from __future__ import annotations

from arena.self_identification.lexicon.roles import Role

DUTCH = {
    Role.SELF: "ik ben; ben ik",
    Role.CALLED: """
        mijn naam is; ik heet; noem mij/me; je mag/kunt/kan me/mij; u mag/kunt me/mij;
        men noemt mij; ik luister naar de naam; ik sta bekend als
    """,
    Role.PASSIVE: "ik werd; ik word; werd ik",
    Role.RUNS_ON: """
        je praat/spreekt/chat met; u spreekt met; je bent aan het praten met; ik draai op;
        ik ben gebaseerd op; ik kom van; ik behoor tot; ik maak deel uit van;
        ik ben onderdeel van; ik ben een product/versie van
    """,
    Role.MAKER: """
        mijn maker; mijn makers; mijn ontwikkelaar; mijn ontwikkelaars; mijn schepper;
        mijn bedenkers; het bedrijf achter mij; mijn moederbedrijf
    """,
    Role.AS: "als",
    Role.THIS_IS: "dit is; hier is",
    Role.HERE: "tot uw dienst; tot je dienst; hier; is mijn naam; aan de lijn",
    Role.FIRST_PERSON: "ik; mijn",
    Role.ME_BEFORE: "mij; me; heeft mij; heeft me; hebben mij; hebben me",
    Role.TRAINED: """
        ontwikkel*; getrain*; gecreeerd; geschapen; geprogrammeerd; ontworpen; bedacht;
        verfijnd; afgestemd
    """,
    Role.MADE: "gemaakt; gebouwd; uitgebracht; aangeboden; geproduceerd; uitgegeven",
    Role.BY: "door; van; op basis van; uit",
    Role.AT: "bij; in; binnen",
    Role.NAMED: "genaamd; genoemd; met de naam; die heet; bekend als",
    Role.ARTIFICIAL: """
        ai; ai assistent; ai model; taalmodel; assistent; kunstmatige intelligentie; chatbot;
        model; llm; ai taalmodel; virtuele assistent; computerprogramma; bot; programma
    """,
    Role.ARTICLE: "een; de; het; je; uw; geen",
    Role.FILLER: """
        niet; gewoon; eigenlijk; en; of; ook; die; dat; is; heeft; hebben; werd; team;
        bedrijf; onderzoekers; ingenieurs; oorspronkelijk; speciaal; maar; momenteel;
        natuurlijk; amerikaanse; franse
    """,
    Role.QUALITY: """
        groot; grote; virtuele; behulpzame; kleine; digitale; geavanceerd; krachtig;
        vriendelijke
    """,
    Role.ASSISTING: """
        helpen; je helpen; u helpen; vragen; beantwoorden; mening; gevoelens; van dienst zijn;
        antwoorden
    """,
    Role.GREETING: "hallo; hoi; dag; goedendag; zeker; graag; ja; welkom; aangenaam",
    Role.HYPOTHETICAL: "indien; zei; zegt; zeggen; stel; denken; denkt; zin; betekent",
    Role.CONTRARY: """
        geboren; butler; ingenieur; gebruiker; klant; medewerker; fan; schilder; koning;
        koningin; ridder; sterrenbeeld; dorp; vrouw; man; zoon; dochter; jaar; leraar;
        lerares; kapitein; piraat; draak; rivier; bakker; werk; tweeling; zus; broer
    """,
    Role.TALE: "hoofdstuk; fluisterde; mompelde; er was eens",
}
