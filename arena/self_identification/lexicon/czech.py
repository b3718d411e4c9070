"""Czech words, and the commonest Slovak ones. Knows no names of models."""

from __future__ import annotations

from arena.self_identification.lexicon.roles import Role

CZECH = {
    Role.SELF: "jsem; já jsem; nejsem; já nejsem; to jsem já; som; ja som; nie som",
    Role.CALLED: """
        jmenuji se; jmenuju se; mé jméno je; moje jméno je; můžete mi říkat; můžeš mi říkat;
        říkejte mi; říkej mi; volám sa; moje meno je
    """,
    Role.PASSIVE: """
        byl jsem; byla jsem; nebyl jsem; jsem byl; bol som; bola som; som bol; nebyla jsem
    """,
    Role.RUNS_ON: """
        mluvíte/mluvíš s; povídáte/povídáš si s; píšete/píšeš si s; běžím na;
        jsem založen/založený/založená na; pocházím od/z; patřím do/k; jsem součástí;
        jsem produktem; jsem verze; jsem postaven na
    """,
    Role.MAKER: """
        můj tvůrce; moji tvůrci; můj vývojář; moji vývojáři; mým tvůrcem je; mými tvůrci jsou;
        moji autoři; společnost která mě vytvořila
    """,
    Role.AS: "jako; coby; ako",
    Role.THIS_IS: "tohle/toto/tady je",
    Role.HERE: "k vašim službám; k tvým službám; tady; je mé jméno",
    Role.FIRST_PERSON: "já; můj; moje; nemám; mám; mohu; nemohu; nemůžu; můžu; dokážu",
    Role.ME_BEFORE: "mě; mne; ma; mňa",
    Role.TRAINED: """
        vytvoř*; vyvinut*; vyvinul*; vytrénován*; natrénován*; trénovan*; vyškolen*; navržen*;
        naprogramován*; vyvíjen*; vytvoren*; vycvičen*
    """,
    Role.MADE: "postaven*; sestaven*; vydán*; udělán*; postavil*",
    Role.BY: """
        společností; společnost; firmou; firma; firmy; týmem; od; z; ze; na základě;
        spoločnosťou
    """,
    Role.AT: "v; ve",
    Role.NAMED: "jménem; zvaný; zvaná; s názvem; nazvaný; pojmenovaný; menom",
    Role.ARTIFICIAL: """
        model; jazykový model; velký jazykový model; asistent; asistentka; umělá inteligence;
        umělou inteligencí; ai; chatbot; bot; virtuální asistent; modelem; jazykovým modelem;
        program; asistentem; llm; umelá inteligencia; ai asistent; ai model
    """,
    Role.ARTICLE: "jeden; jedním; váš; tvůj",
    Role.FILLER: """
        ne; jen; jenom; vlastně; ve skutečnosti; a; nebo; také; který; která; kterého; byl;
        byla; je; tým; vědci; výzkumníky; inženýry; původně; speciálně; ale; nýbrž;
        samozřejmě; se; pouze; americkou; americké
    """,
    Role.QUALITY: """
        velký; virtuální; užitečný; malý; digitální; pokročilý; přátelský; velkým; jazykový
    """,
    Role.ASSISTING: """
        pomoci; pomoct; mohu pomoci; otázky; odpovídat; názory; pocity; emoce; vám pomohu;
        jak vám mohu
    """,
    Role.GREETING: "ahoj; dobrý den; jistě; ano; vítejte; těší mě; rád; ráda; zdravím",
    Role.HYPOTHETICAL: """
        kdyby; pokud; jestli; řekl; řekla; říká; představte; představ; myslí; věta; znamená;
        jako by
    """,
    Role.CONTRARY: """
        narodil; narodila; komorník; inženýr; uživatel; zákazník; zaměstnanec; fanoušek;
        malíř; král; královna; rytíř; zvěrokruhu; znamení; vesnice; žena; manžel; syn; dcera;
        let; učitel; kapitán; pirát; drak; řeka; básník; jistý; pracuji
    """,
    Role.TALE: "kapitola; zašeptal; zašeptala; zvolal; bylo nebylo",
}
