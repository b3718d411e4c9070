"""Italian words of self-identification. Knows no names of models."""

from __future__ import annotations

from arena.self_identification.lexicon.roles import Role

ITALIAN = {
    Role.SELF: "sono; io sono; non sono; io non sono; sono io",
    Role.CALLED: """
        mi chiamo; il mio nome e; chiamami; chiamatemi; puoi/potete/puo chiamarmi;
        mi chiamano; sono conosciuto/noto come; rispondo al nome di; mi presento sono;
        mio nome e
    """,
    Role.PASSIVE: """
        sono stato; sono stata; non sono stato; io sono stato; sono stato anche; venni
    """,
    Role.RUNS_ON: """
        stai/state/sta parlando/chattando con; sono basato/basata su/sul; mi baso su/sul;
        funziono con/su/grazie_a; provengo da; vengo da; appartengo a; faccio parte di/della;
        sono un prodotto di; sono una versione di; sono alimentato da; giro su;
        sono uno dei modelli; sono uno dei
    """,
    Role.MAKER: """
        il mio creatore; i miei creatori; il mio sviluppatore; i miei sviluppatori;
        la mia azienda madre; l azienda che mi ha creato/sviluppato/addestrato;
        il mio modello di base; miei sviluppatori; miei creatori
    """,
    Role.AS: "in quanto; come; essendo; in qualita di",
    Role.THIS_IS: "questo/questa e; qui e",
    Role.HERE: "al tuo servizio; al vostro servizio; al suo servizio; e il mio nome; qui",
    Role.FIRST_PERSON: "io; mio; mia; miei; non ho; ho; posso; non posso; non possiedo; devo",
    Role.ME_BEFORE: "mi; mi ha; mi hanno",
    Role.TRAINED: """
        svilupp*; addestr*; creat*; progettat*; programmat*; ideat*; concepit*; perfezionat*;
        allenat*
    """,
    Role.MADE: """
        fatto; fatta; costruit*; realizzat*; prodott*; rilasciat*; lanciat*; pubblicat*;
        fornit*; basat*
    """,
    Role.BY: "da; dal; dalla; dai; dallo; dall; di; della; su; sul",
    Role.AT: "in; presso",
    Role.NAMED: "chiamato; chiamata; di nome; denominato; che si chiama; noto come",
    Role.ARTIFICIAL: """
        modello; modello linguistico; modello di linguaggio; assistente;
        intelligenza artificiale; ia; ai; chatbot; bot; assistente virtuale; llm; modelli;
        agente conversazionale; sistema; programma; modello di ia
    """,
    Role.ARTICLE: "un; una; il; lo; la; i; gli; l; il tuo; uno",
    Role.FILLER: """
        non; semplicemente; solo; in realta; e; o; che; stato; stata; ha; squadra; team;
        gruppo; azienda; societa; ricercatori; ingegneri; laboratorio; originariamente; anche;
        certo; attualmente; davvero; ma; bensi; ne; esperti; americana; startup;
        appositamente; dell; un team
    """,
    Role.QUALITY: """
        grande; grandi; dimensioni; virtuale; conversazionale; avanzato; utile; digitale;
        piccolo; generativo; di grandi dimensioni; potente;
        basato sull intelligenza artificiale
    """,
    Role.ASSISTING: """
        aiutarti; aiutare; posso aiutarti; domande; aiutarla; rispondere; opinioni;
        sentimenti; emozioni; conversare
    """,
    Role.GREETING: """
        ciao; salve; certamente; piacere; buongiorno; si; benvenuto; grazie; buonasera
    """,
    Role.HYPOTHETICAL: """
        se; disse; dice; dire; immagina; supponiamo; pensano; significa; frase; fingi; fossi;
        credono
    """,
    Role.CONTRARY: """
        nato; nata; ingegnere; sviluppatore; utente; cliente; dipendente; fan; pittore; re;
        regina; cavaliere; maggiordomo; zodiaco; segno; villaggio; moglie; marito; figlio;
        figlia; anni; professore; professoressa; capitano; pirata; drago; fiume; poeta;
        stelle; regno; lavoro; disponibili; app; madre; sorella
    """,
    Role.TALE: "capitolo; sussurro; esclamo; mormoro",
}
