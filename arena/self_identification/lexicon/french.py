"""French words of self-identification. Knows no names of models."""

from __future__ import annotations

from arena.self_identification.lexicon.roles import Role

FRENCH = {
    Role.SELF: "je suis; moi c est; je ne suis; c est moi; je reste; moi je suis",
    Role.CALLED: """
        je m appelle; mon nom est; mon nom c est; je me nomme; appelez/appelle moi;
        on m appelle; vous pouvez m appeler; tu peux m appeler; je me prenomme;
        je reponds au nom de; je suis connu/connue sous le nom de; je me presente;
        mon petit nom est
    """,
    Role.PASSIVE: "j ai ete; j avais ete; je fus; je n ai pas ete; ai ete; j ai aussi ete",
    Role.RUNS_ON: """
        vous parlez/discutez avec/a; tu parles/discutes avec/a;
        vous etes en train de parler avec; je fonctionne grace a/au; je fonctionne sur;
        je suis base/basee/fonde sur; je repose sur; je suis propulse/alimente par;
        je viens de/d; je fais partie de/des/du; j appartiens a; je suis issu de;
        je suis une version/instance de; je suis l un des; je suis un produit de
    """,
    Role.MAKER: """
        mon createur; mes createurs; mon developpeur; mes developpeurs; mon concepteur;
        mes concepteurs; ma societe mere; l entreprise qui m a cree/concu/developpe;
        l equipe derriere moi; mon modele de base
    """,
    Role.AS: "en tant que; en tant qu; etant",
    Role.THIS_IS: "ici c est; c est",
    Role.HERE: "a votre service; a l appareil; est mon nom; qui vous parle; a ton service",
    Role.FIRST_PERSON: "je; j; mes; mon; ma",
    Role.ME_BEFORE: "m a; m ont; m avait; m; moi",
    Role.TRAINED: """
        developp*; entrain*; cree; creee; crees; creer; concu; concue; concus; programm*;
        entrainee; mis au point; mise au point; elabore; elaboree; peaufine*; affine;
        pre entraine
    """,
    Role.MADE: """
        fait; faite; fabrique; construit; construite; propose; proposee; publie; publiee;
        lance; lancee; basee; base; heberge; optimise
    """,
    Role.BY: "par; de; d; du; sur; des",
    Role.AT: "chez; au sein de/d",
    Role.NAMED: """
        appele; appelee; nomme; nommee; baptise; baptisee; du nom de; qui s appelle; denomme
    """,
    Role.ARTIFICIAL: """
        modele; modele de langage; modele de langue; modele linguistique; assistant;
        assistante; ia; intelligence artificielle; chatbot; agent conversationnel;
        robot conversationnel; llm; assistant virtuel; modeles; grand modele de langage;
        systeme; programme; outil d ia
    """,
    Role.ARTICLE: "un; une; le; la; l; les; votre; ton; petit; petite",
    Role.FILLER: """
        ne; pas; n; simplement; bien; en fait; donc; aussi; qui; que; ai; ete; est; et; ou;
        equipe; equipes; societe; entreprise; chercheurs; ingenieurs; laboratoire;
        specialement; initialement; tout; juste; francaise; americaine; non; mais;
        s il vous plait; bien sur; vraiment; toujours; actuellement; start; up; jeune pousse
    """,
    Role.QUALITY: """
        conversationnel; conversationnelle; grand; grande; virtuel; virtuelle; utile; avance;
        puissant; generatif; base sur l ia; linguistique; numerique; libre; ouvert
    """,
    Role.ASSISTING: """
        puis je vous aider; puis je t aider; aider; questions; vous aider; t aider; repondre;
        opinion; sentiments; emotions
    """,
    Role.GREETING: "bonjour; salut; bonsoir; enchante; ravi; oui; coucou; bienvenue; comment",
    Role.HYPOTHETICAL: """
        si; dit; dire; disait; imaginez; imagine; supposons; pense; pensent; signifie; phrase;
        affirme; pretend; comme si
    """,
    Role.CONTRARY: """
        suis ne; nee; ingenieur; ingenieure; developpeur; utilisateur; client; employe;
        salarie; fan; peintre; roi; reine; chevalier; majordome; zodiaque; signe; village;
        femme; mari; fils; fille; ans; professeur; boulanger; capitaine; pirate; dragon;
        riviere; enfance; compositeur; detective; berger; royaume; etoiles; travaille;
        passionne; soeur; frere
    """,
    Role.TALE: "jadis; chapitre; murmura; ecria; repondit; soupira; autrefois",
}
