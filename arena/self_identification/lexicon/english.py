"""English words of self-identification. Knows no names of models."""

from __future__ import annotations

from arena.self_identification.lexicon.roles import Role

ENGLISH = {
    Role.SELF: """
        i am/m; it s/is me; i remain; i identify as; i present myself as; myself am;
        i am/m known as; i function/act/serve/operate/exist as; i consider myself;
        i introduce myself as
    """,
    Role.CALLED: """
        my full/real/actual/official/first/own? name is/s/was; my name; call me;
        you may/can/could/should? call me; people/users/they/everyone call me;
        i go by the? name? of?; i am/m called; i answer/respond to the? name? of?;
        refer to me as; you can refer/address to? me as; know me as;
        i was/ve_been/have_been named/called/christened; they named/call me; i am/m named;
        the name s; i am/m referred to as; know/address me as; my model name/identifier/id is;
        the model behind me is; my identity is; i identify myself as
    """,
    Role.PASSIVE: """
        i was; i have/ve/had been; i am/m being; i got; i were; and/or was/were; i wasn t;
        i have/haven not?/t been; i was/were; i have/ve also? been;
        my architecture/training/weights was/were/is/has_been
    """,
    Role.RUNS_ON: """
        you are/re talking/speaking/chatting/interacting/conversing to/with;
        you are/re now? talking/speaking/chatting to/with;
        the? model/assistant/ai you are/re talking/speaking/chatting to/with is;
        i run/operate on top? of?; i am/m powered by; i am/m based on/upon;
        i am/m built on/upon top? of?; i come from; i originate from; i belong to;
        i am/m running on; i am/m backed by; i am/m driven by; i am/m affiliated with;
        i am/m associated with; i am/m not affiliated/associated with; my underlying model is;
        under the hood i am/m; my/the underlying architecture/model is/comes;
        i am/m a/an? product/creation/project/offering of/from/by;
        i am/m the product/creation/work of;
        i am/m derived/fine_tuned/finetuned/adapted/distilled from;
        i was derived/fine_tuned/finetuned/adapted/distilled from; i am/m a? part of;
        i am/m one of; i am/m an? instance of; i am/m a/the? member of;
        i am/m a/the? version of; i owe my existence to;
        i am/m a fine_tuned/finetuned/quantized/quantised/distilled version/variant of;
        i hail from; i am/m owned/operated/maintained/provided/hosted by;
        i am/m not owned/operated/maintained/provided/hosted by; i am/m not powered by;
        i am/m not based on; i was released/launched/introduced/published by/as;
        i am/m brought to you by; i was brought to you by;
        i am/m the/a/an? latest/newest/current? model/assistant/ai in/of
    """,
    Role.MAKER: """
        my
        creator/creators/developer/developers/maker/makers/designer/designers/trainer/trainers/programmers/parent_company/parent_organization/parent_organisation/owner;
        my base/foundation/underlying/parent model; my development/training/creation;
        my architecture; my developing/creating team; my home company; the
        company/team/organization/organisation/people/lab/researchers/engineers/developers
        behind me; my knowledge/training_data comes; my training team
    """,
    Role.AS: "as; being; speaking as; since i am; writing as",
    Role.THIS_IS: "this is",
    Role.HERE: """
        here; speaking; at your service; reporting for duty; here to help/assist;
        is here to help/assist; ready to help/assist; is my name; s my name; that s me;
        is who i am; is what i am; that is me; is speaking; is at your service;
        here and ready to help
    """,
    Role.FIRST_PERSON: """
        i; my; myself; i ve; i ll; i d; i think; i believe; i would say; i can say;
        i must say; i may say; i think that; i believe that; i can confirm that;
        i must say that; i assume; i guess
    """,
    Role.ME: "me",
    Role.TRAINED: """
        trained; developed; created; programmed; engineered; pre trained; pretrained;
        fine tuned; finetuned; designed; train; develop; create; program; design; trains;
        develops; creates; powered; coded; invented; fine tunes; architected; conceived;
        instruction tuned
    """,
    Role.MADE: """
        made; built; produced; released; launched; provided; introduced; make; makes; build;
        builds; brought; maintained; owned; offered; published; operated; hosted; distilled;
        derived; given life; deployed; shipped; backed; put together; supported; based;
        offspring; done; carried out; conducted
    """,
    Role.BY: "by; from; of; on; on top of; out of",
    Role.AT: "at; within; inside; at the company",
    Role.QUALITY: """
        helpful; friendly; large; small; new; multimodal; multilingual; advanced; powerful;
        harmless; honest; virtual; digital; open; source; weights; free; fine; smart; great;
        amazing; dedicated; brilliant; talented; french; chinese; american; san francisco;
        compact; tiny; lightweight; generative; conversational; autoregressive; instruction;
        following
    """,
    Role.TALE: """
        chapter; whispered; muttered; exclaimed; shouted; narrator; protagonist; scene;
        murmured; sighed; bellowed; tavern; stanza; curtsied; bowed; bows; grinned; chuckled;
        dear diary; smirked; growled
    """,
    Role.NAMED: """
        called; named; known as; name is; goes by; go by; referred to as; dubbed; codenamed
    """,
    Role.ARTIFICIAL: """
        ai; a i; assistant; assistants; language model/models; large language model/models;
        llm; llms; chatbot; chatbots; bot; artificial intelligence; model; models; chat model;
        virtual assistant; digital assistant; ai assistant; conversational agent;
        conversational ai; neural network; transformer; text generator; language ai; gpt;
        ai system; ai program; ai companion; ai helper; ai tool; computer program;
        conversational partner; conversational system; machine learning model; generative ai;
        companion ai; agent; system
    """,
    Role.ARTICLE: "a; an; one; the; your; another; some",
    Role.FILLER: """
        actually; just; simply; really; also; indeed; not; in fact; of course; only; still;
        currently; now; proudly; definitely; certainly; truly; always; merely; basically;
        essentially; officially; specific; specifically; originally; initially; primarily;
        entirely; carefully; lovingly; and; or; which; that; who; is; was; were; am; has;
        have; been; to be; to; be; neither; nor; but; rather; instead; both; jointly; partly;
        mainly; so; well; team; teams; researchers; research; engineers; engineer group;
        scientists; experts; people; folks; company; companies; organization; organisation;
        lab; labs; laboratory; startup; group; us; u s; based company; it; this; series;
        family; line; lineup; suite; version; variant; member; instance; latest; newest;
        product; kind; type; form; part; model family; tech giant; tech; technology; giant;
        helped; help; there; good
    """,
    Role.ASSISTING: """
        assist; assisting; how can i; how may i; what can i; can i help; help you;
        helping you; questions; answer; answers; language; opinions; feelings; emotions;
        consciousness; knowledge cutoff; cutoff; browse; training data; personal;
        conversation; conversations; text; information; tasks; generate; ai s; users; respond;
        responses; wide range; capabilities; chat; safe; safety; ethical; guidelines;
        real time; internet access; prompts; data; dataset; datasets; corpus; corpora
    """,
    Role.GREETING: """
        hello; hi; hey; greetings; sure; absolutely; yes; welcome; thanks; thank;
        good morning; good evening; good afternoon; nice to meet you; pleased to meet you;
        happy; glad; sorry; okay; ok; no; hola; salut; bonjour; hallo; ciao; let me
    """,
    Role.HYPOTHETICAL: """
        if; whether; pretend; imagine; suppose; say; says; said; saying; claim; claims;
        replied; print; output; assume; assuming; pretending; wish; think; thinks; thought;
        until; unless; believe; believes; wonder; prompt; sentence; phrase; called out;
        announced; declared; when; as though; as if; translate; translates; means; convinced;
        imagining
    """,
    Role.CONTRARY: """
        user; users of; fan; fans; expert; engineer; developer; developers; employee;
        employees; researcher; scientist; enthusiast; lover; customer; subscriber; certified;
        intern; shareholder; investor; recruiter; consultant; account; api; store; maps; docs;
        sheets; drive; play; cloud; manager; owner; skeptic; addict; partner; ambassador;
        native; alum; alumnus; born; butler; zodiac; horoscope; astrology; astrological; star;
        stars; moon; sun; rising; sign; king; queen; prince; princess; knight; wizard; witch;
        dragon; captain; pirate; detective; painter; philosopher; superhero; hero; villain;
        farmer; baker; teacher; student; lawyer; doctor; nurse; soldier; sailor; wife;
        husband; son; daughter; brother; sister; mother; father; uncle; aunt; years; village;
        kingdom; castle; river; valley; wind; winds; animal; wool; herd; mountains;
        constellation; twins; monet; debussy; shannon; dog; cat; horse; bird; guardian;
        warrior; god; goddess; ship; spaceship; starship; poet; chef; waiter; servant;
        merchant; grew; childhood; painted; sword; throne; galaxy; feathers; wings; fur; nest;
        prey; pasture; hooves; commander; planet; spacecraft; crew; letter of the greek;
        greek; letter; ratio; widow; monastery; grandmother; grandfather; sixteen; seventeen;
        professor; retired; musician; pianist; bard; live; lives; dogs; cats; kids; children;
        mercury; venus; mars; ruling; lives in; barista; colleague
    """,
}
