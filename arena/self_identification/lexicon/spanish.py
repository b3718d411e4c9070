"""Spanish words of self-identification. Knows no names of models."""

from __future__ import annotations

from arena.self_identification.lexicon.roles import Role

SPANISH = {
    Role.SELF: "soy; yo soy; no soy; yo no soy; te habla; le habla",
    Role.CALLED: """
        me llamo; mi nombre es; mi nombre; llamame; puedes/puede llamarme; me llaman;
        soy conocido/conocida como; me conocen como; respondo al nombre de; me presento soy;
        me denomino; me puedes llamar
    """,
    Role.PASSIVE: "fui; he sido; no fui; no he sido; yo fui; estoy; fui tambien; estuve",
    Role.RUNS_ON: """
        estas hablando/chateando/conversando con; esta hablando con; hablas con;
        funciono con/sobre; estoy basado/basada en; me baso en; vengo de; provengo de;
        pertenezco a; formo parte de; soy parte de; soy un producto de; soy una version de;
        estoy impulsado/impulsada por; soy uno de los; corro sobre
    """,
    Role.MAKER: """
        mi creador; mis creadores; mi creadora; mi desarrollador; mi desarrolladora;
        mis desarrolladores; mi fabricante; mi empresa matriz;
        la empresa que me creo/desarrollo/entreno; mi modelo base; el equipo detras de mi
    """,
    Role.AS: "como; en mi calidad de; siendo",
    Role.THIS_IS: "este/esta/esto es",
    Role.HERE: "a tu servicio; a su servicio; al habla; es mi nombre; te saluda; aqui",
    Role.FIRST_PERSON: """
        yo; mi; mis; no tengo; tengo; puedo; no puedo; carezco; no poseo; poseo; debo; no he;
        he; mi funcion
    """,
    Role.ME_BEFORE: "me; me ha; me han; a mi me; me fue",
    Role.TRAINED: """
        desarroll*; entren*; cread*; creo; crearon; disen*; program*; concebid*; ajustad*;
        afinad*; creo y entreno
    """,
    Role.MADE: """
        hecho; hecha; construid*; fabricad*; lanzad*; publicad*; proporcionad*; ofrecid*;
        basad*; construyo; hizo; impulsad*
    """,
    Role.BY: "por; de; del; a partir de; sobre",
    Role.AT: "en; dentro de",
    Role.NAMED: """
        llamado; llamada; denominado; denominada; de nombre; que se llama; conocido como;
        conocida como
    """,
    Role.ARTIFICIAL: """
        modelo; modelo de lenguaje; asistente; inteligencia artificial; ia; chatbot; bot;
        modelo linguistico; asistente virtual; llm; modelos; gran modelo de lenguaje;
        modelo de ia; agente conversacional; sistema; programa
    """,
    Role.ARTICLE: "un; una; el; la; los; las; tu; su; uno",
    Role.FILLER: """
        no; simplemente; solo; en realidad; y; o; que; ha; sido; fue; es; equipo; equipos;
        empresa; compania; investigadores; ingenieros; laboratorio; originalmente; tambien;
        claro; por supuesto; se; actualmente; realmente; inicialmente; sino; ni; expertos;
        startup; estadounidense; china; francesa; especificamente; especialmente; pero
    """,
    Role.QUALITY: """
        grande; gran; virtual; conversacional; avanzado; amable; util; digital; generativo;
        pequeno; potente; multilingue; amigable; entrenado con ia; basado en ia
    """,
    Role.ASSISTING: """
        ayudarte; ayudarle; puedo ayudarte; en que puedo; preguntas; ayudar; opiniones;
        sentimientos; emociones; responder; asistirte; conversaciones
    """,
    Role.GREETING: """
        hola; encantado; saludos; buenos dias; buenas tardes; bienvenido; gracias; con gusto;
        mucho gusto
    """,
    Role.HYPOTHETICAL: """
        si; dijo; dice; decir; imagina; supongamos; creen; piensan; significa; frase; finge;
        afirma; fuera
    """,
    Role.CONTRARY: """
        nacido; nacida; naci; ingeniero; ingeniera; desarrollador; usuario; cliente; empleado;
        fan; fanatico; pintor; rey; reina; caballero; mayordomo; zodiaco; signo; pueblo;
        esposa; esposo; hijo; hija; anos; profesor; profesora; capitan; pirata; dragon; rio;
        poeta; estrellas; reino; trabajo; detective; geminis; maps; madre; hermana
    """,
    Role.TALE: "capitulo; susurro; exclamo; murmuro; habia una vez",
}
