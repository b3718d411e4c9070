"""Portuguese words of self-identification. Knows no names of models."""

from __future__ import annotations

from arena.self_identification.lexicon.roles import Role

PORTUGUESE = {
    Role.SELF: "sou; eu sou; nao sou; eu nao sou; quem fala e",
    Role.CALLED: """
        meu nome e; o meu nome e; me chamo; eu me chamo; chamo me;
        pode/podes/podem me? chamar me?; podes tratar me por; pode me chamar de; me chame de;
        sou conhecido/conhecida como; me chamam de; atendo pelo nome de; meu nome
    """,
    Role.PASSIVE: "fui; eu fui; nao fui; tenho sido; estou; ja fui; eu nao fui",
    Role.RUNS_ON: """
        voce esta falando/conversando com; esta a falar com; funciono com;
        sou baseado/baseada em/no/na; estou baseado em/no; baseio me em/no; venho da/do/de;
        pertenco a/ao; faco parte da/do/de; sou um produto da/do/de;
        sou movido/alimentado por/pelo; sou uma versao do/da/de; rodo sobre/no/em; sou um dos;
        sou parte da/do
    """,
    Role.MAKER: """
        meu criador; minha criadora; meus criadores; meu desenvolvedor; minha desenvolvedora;
        meus desenvolvedores; minha empresa; a empresa que me criou/desenvolveu/treinou;
        meu modelo base; a equipe por tras de mim
    """,
    Role.AS: "como; enquanto; sendo",
    Role.THIS_IS: "este/esta/isto/aqui e",
    Role.HERE: "ao seu dispor; a sua disposicao; falando; aqui; e o meu nome; e meu nome",
    Role.FIRST_PERSON: """
        eu; meu; minha; nao tenho; tenho; posso; nao posso; nao possuo; possuo; devo
    """,
    Role.ME_BEFORE: "me",
    Role.TRAINED: """
        desenvolv*; treinad*; treinou; criad*; criou; criaram; projetad*; projetou;
        programad*; concebid*; ajustad*; treinei
    """,
    Role.MADE: """
        feito; feita; construid*; lancad*; fabricad*; disponibilizad*; fornecid*; construiu;
        fez; basead*
    """,
    Role.BY: "por; pela; pelo; pelas; pelos; da; do; de; das; dos; a partir de",
    Role.AT: "na; no; em",
    Role.NAMED: "chamado; chamada; denominado; de nome; que se chama; conhecido como",
    Role.ARTIFICIAL: """
        modelo; modelo de linguagem; assistente; inteligencia artificial; ia; chatbot; bot;
        assistente virtual; llm; modelos; grande modelo de linguagem; modelo de ia;
        agente conversacional; sistema; programa; modelo linguistico
    """,
    Role.ARTICLE: "um; uma; seu; sua",
    Role.FILLER: """
        o; a; os; as; nao; simplesmente; apenas; so; na verdade; e; ou; que; foi; sido;
        equipe; equipa; empresa; companhia; pesquisadores; investigadores; engenheiros;
        laboratorio; originalmente; tambem; claro; atualmente; mas; sim; especialistas;
        especificamente; americana; startup; se; nem
    """,
    Role.QUALITY: """
        grande; virtual; conversacional; avancado; amigavel; util; digital; pequeno;
        generativo; multilingue; poderoso
    """,
    Role.ASSISTING: """
        ajudar; posso ajudar; perguntas; ajuda lo; te ajudar; responder; opinioes;
        sentimentos; emocoes; conversar
    """,
    Role.GREETING: "ola; oi; com certeza; prazer; bom dia; boa tarde; bem vindo; obrigado",
    Role.HYPOTHETICAL: """
        disse; diz; dizer; imagine; suponha; pensam; acham; significa; frase; finja; fosse
    """,
    Role.CONTRARY: """
        nasci; nascido; nascida; engenheiro; engenheira; desenvolvedor; usuario; cliente;
        funcionario; fa; pintor; rei; rainha; cavaleiro; mordomo; zodiaco; signo; aldeia;
        esposa; marido; filho; filha; anos; professor; professora; capitao; pirata; dragao;
        rio; poeta; estrelas; reino; trabalho; aprender; mae; irma; meta de
    """,
    Role.TALE: "capitulo; sussurrou; exclamou; murmurou",
}
