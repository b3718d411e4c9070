"""Polish words of self-identification. Knows no names of models."""

from __future__ import annotations

from arena.self_identification.lexicon.roles import Role

POLISH = {
    Role.SELF: "jestem; ja jestem; nie jestem; to ja; z tej strony",
    Role.CALLED: """
        nazywam się; mam na imię; moje imię to; możesz mnie nazywać; możesz mówić mi; mów mi;
        nazywają mnie; jestem znany jako; moje imię brzmi; możesz nazywać mnie
    """,
    Role.PASSIVE: "zostałem; zostałam; nie zostałem; nie zostałam; byłem; byłam",
    Role.RUNS_ON: """
        rozmawiasz z; rozmawia pan z; rozmawia pani z; piszesz z; działam na;
        działam w oparciu o; działam na bazie; jestem oparty/oparta na; bazuję na;
        pochodzę z/od; należę do; jestem częścią; jestem produktem; jestem wersją;
        jestem zbudowany na
    """,
    Role.MAKER: """
        mój twórca; moi twórcy; moim twórcą jest; mój deweloper; moi deweloperzy;
        moim producentem jest; firma która mnie stworzyła; moi programiści; stworzyła mnie;
        stworzyło mnie; stworzyli mnie
    """,
    Role.AS: "jako; będąc",
    Role.THIS_IS: "to jest",
    Role.HERE: "do usług; do twoich usług; przy telefonie; tutaj",
    Role.FIRST_PERSON: """
        ja; mój; moja; moje; nie mam; mam; mogę; nie mogę; nie posiadam; posiadam; potrafię
    """,
    Role.ME_BEFORE: "mnie",
    Role.TRAINED: """
        stworz*; wytrenowan*; trenowan*; opracowan*; opracował*; wyszkolon*; szkolon*;
        zaprojektowan*; zaprogramowan*; rozwijan*; rozwinię*; przeszkolon*; wytrenował*;
        utworzon*; dostrojon*
    """,
    Role.MADE: "zbudowan*; zbudował*; wydan*; wyprodukowan*; udostępnion*; wykonan*",
    Role.BY: "przez; od; z; firmę; firmy; firma; spółkę; na bazie; na podstawie",
    Role.AT: "w; we",
    Role.NAMED: "o nazwie; o imieniu; zwany; zwana; zwanym; nazwany; nazywany",
    Role.ARTIFICIAL: """
        model; modelem; modelem językowym; model językowy; dużym modelem językowym;
        duży model językowy; asystent; asystentem; asystentką; sztuczna inteligencja; ai; si;
        chatbot; chatbotem; bot; botem; wirtualnym asystentem; wirtualny asystent;
        asystentem ai; programem; llm; modelem ai; systemem; modeli
    """,
    Role.ARTICLE: "jednym; jedną; twoim; twój",
    Role.FILLER: """
        nie; po prostu; tylko; właściwie; tak naprawdę; i; lub; oraz; także; który; która;
        którego; został; została; jest; zespół; zespołem; zespołu; badaczy; inżynierów;
        pierwotnie; specjalnie; ale; a; oczywiście; lecz; też; amerykańską; francuską; polski;
        polskim
    """,
    Role.QUALITY: """
        dużym; duży; wirtualnym; wirtualny; pomocnym; pomocny; małym; cyfrowym; zaawansowanym;
        przyjaznym; wielojęzycznym; językowym
    """,
    Role.ASSISTING: """
        pomóc; mogę pomóc; pytania; odpowiadać; opinii; uczuć; emocji; odpowiedzieć;
        w czym mogę
    """,
    Role.GREETING: "cześć; hej; dzień dobry; tak; witaj; witam; miło; dziękuję; jasne",
    Role.HYPOTHETICAL: """
        jeśli; gdyby; powiedział; powiedziała; mówi; mówią; wyobraź; myślą; że; zdanie;
        znaczy; czy; udawaj; jakbym
    """,
    Role.CONTRARY: """
        urodziłem; urodziłam; kamerdyner; inżynierem; użytkownikiem; klientem; pracownikiem;
        fanem; fanką; malarzem; królem; królową; rycerzem; zodiaku; znak; wioski; żona; mąż;
        syn; syna; córka; lat; nauczycielem; nauczycielką; kapitanem; piratem; smokiem; rzeka;
        poetą; pewien; pracuję; lokaj; bliźnięta; malarz
    """,
    Role.TALE: "rozdział; szepnął; szepnęła; zawołał",
}
