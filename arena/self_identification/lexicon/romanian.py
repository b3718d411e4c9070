"""Romanian words of self-identification. Knows no names of models."""

from __future__ import annotations

from arena.self_identification.lexicon.roles import Role

ROMANIAN = {
    Role.SELF: "sunt; eu sunt; nu sunt; eu nu sunt",
    Role.CALLED: """
        ma numesc; numele meu este; numele meu e; ma cheama; imi poti spune; poti sa mi spui;
        mi se spune; spune mi; spuneti mi
    """,
    Role.PASSIVE: "am fost; nu am fost; eu am fost; n am fost",
    Role.RUNS_ON: """
        vorbesti/vorbiti/discuti cu; ma bazez pe; sunt bazat/bazata pe; provin de la;
        vin de la; apartin; fac parte din; functionez pe baza; sunt un produs; rulez pe
    """,
    Role.MAKER: """
        creatorul meu; creatorii mei; dezvoltatorul meu; dezvoltatorii mei;
        compania care m a creat/dezvoltat
    """,
    Role.AS: "ca; in calitate de; fiind",
    Role.THIS_IS: "acesta/aceasta este; aici",
    Role.HERE: """
        la dispozitia ta; la dispozitia dumneavoastra; la dispozitia dvs; la telefon;
        este numele meu
    """,
    Role.FIRST_PERSON: "eu; meu; mea; nu am; pot; nu pot; am; imi",
    Role.ME_BEFORE: "m a; m au",
    Role.TRAINED: """
        dezvoltat*; antrenat*; creat; creata; proiectat*; programat*; conceput*; instruit*
    """,
    Role.MADE: "facut; facuta; construit*; realizat*; lansat*; produs; bazat*",
    Role.BY: "de; de catre; de la; din",
    Role.AT: "la; in; cadrul",
    Role.NAMED: "numit; numita; pe nume; denumit",
    Role.ARTIFICIAL: """
        model; model de limbaj; model lingvistic; asistent; asistenta;
        inteligenta artificiala; ia; ai; chatbot; asistent virtual; llm; bot; un model
    """,
    Role.ARTICLE: "un; o; cel; una; unul",
    Role.FILLER: """
        nu; doar; de fapt; si; sau; care; a fost; fost; echipa; compania; companie;
        cercetatori; ingineri; initial; este; e; dar; ci; o echipa; a; companiei; firmei
    """,
    Role.QUALITY: "mare; virtual; conversational; avansat; util; digital; mic; dimensiuni mari",
    Role.ASSISTING: """
        te pot ajuta; va pot ajuta; intrebari; ajut; ajuta; raspund; opinii; sentimente
    """,
    Role.GREETING: "salut; buna; buna ziua; desigur; sigur; da; bun venit; multumesc",
    Role.HYPOTHETICAL: "daca; spus; zis; imagineaza; inseamna; cred; crede; parca",
    Role.CONTRARY: """
        nascut; nascuta; inginer; utilizator; client; angajat; fan; rege; regina; majordom;
        zodie; sat; sotie; sot; fiu; fiica; ani; profesor; capitan; pirat; rau; pictor; lucrez
    """,
    Role.TALE: "capitolul; sopti; exclama",
}
