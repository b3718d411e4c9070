"""Turkish words of self-identification. Knows no names of models."""

# ruff: noqa: RUF001 -- these letters are meant, though they look like Latin ones

from __future__ import annotations

from arena.self_identification.lexicon.roles import Role

TURKISH = {
    Role.PRONOUN: "ben; benim adım; adım; bana; ben de; ben bir",
    Role.CALLED: "ismim; benim ismim",
    Role.MAKER: """
        geliştiricim; geliştiricilerim; yaratıcım; yaratıcılarım; benim geliştiricim;
        benim yaratıcım; beni geliştiren şirket; beni yaratan şirket; beni eğiten şirket;
        üreticim; beni geliştiren; beni eğiten
    """,
    Role.FIRST_PERSON: "benim",
    Role.ME_BEFORE: "beni",
    Role.MADE_ME: """
        geliştirildim; eğitildim; oluşturuldum; yaratıldım; tasarlandım; programlandım;
        üretildim; yapıldım; geliştirilmedim; eğitilmedim; oluşturulmadım; eğitilmiştim;
        geliştirilmişim; eğitilmişim; geliştirilmekteyim; eğitildim ve geliştirildim;
        oluşturulmuşum
    """,
    Role.TRAINED: """
        geliştiri*; geliştirdi; geliştirdiği; eğitil*; eğitti; eğittiği; oluşturul*;
        oluşturdu; yaratıl*; yarattı; tasarlan*; tasarladı; programlan*; üretil*
    """,
    Role.MADE: "yapılan; yapılmış; sunulan; yayınlanan; çıkarılan; hazırlanan",
    Role.BY_AFTER: """
        tarafından; şirketi tarafından; ekibi tarafından; un; ın; nin; nun;
        firması tarafından; mühendisleri tarafından; a ait; ye ait; e ait;
        adlı şirket tarafından; tabanlı; üzerinde; ekibinin
    """,
    Role.IS_LAST: """
        um; im; yim; yum; değilim; asistanıyım; modeliyim; botuyum; modelim; asistanım;
        diyebilirsiniz; diyebilirsin; olarak bilinirim; dil modeliyim; yapay zekayım;
        programıyım; dir; dur; tur; tır; asistanınızım; asistanınım; sohbet botuyum;
        yapay zeka asistanıyım; adlı; isimli; derler; sistemiyim
    """,
    Role.NAMED: "adında; adındaki",
    Role.ARTIFICIAL: """
        yapay zeka; dil modeli; büyük dil modeli; asistan; asistanı; sanal asistan;
        sohbet botu; yapay zeka asistanı; yapay zeka modeli; chatbot; model; modeli; bot;
        sohbet robotu; yz; program; asistanınız; dil modelinin; modelleri;
        yapay zeka dil modeli; modellerinden biriyim
    """,
    Role.ARTICLE: "bir; sizin; senin; biri",
    Role.FILLER: """
        sadece; aslında; ve; veya; da; de; olan; olarak; ekip; şirket; şirketi;
        araştırmacılar; mühendisler; başlangıçta; ama; ise; evet; özel; şu anda; gerçekten;
        firma; firması; hayır; değil
    """,
    Role.QUALITY: """
        büyük; sanal; yardımsever; yardımcı; küçük; dijital; gelişmiş; akıllı; çok dilli;
        konuşma
    """,
    Role.ASSISTING: """
        yardımcı olabilirim; yardımcı olmak; sorular; sorularınızı; yanıt; cevap; yardım;
        duygularım
    """,
    Role.GREETING: "merhaba; selam; tabii; elbette; memnun; hoş; size; sana; nasıl",
    Role.HYPOTHETICAL: """
        eğer; dedi; diyor; diyelim; hayal; varsayalım; cümlesi; anlamına; sanki; düşünüyor
    """,
    Role.CONTRARY: """
        doğdum; mühendis; mühendisi; mühendisiyim; çalışanı; çalışanıyım; kullanıcısı;
        kullanıcısıyım; müşterisi; hayranı; hayranıyım; ressam; kral; kraliçe; şövalye;
        korsan; kaptan; dedektif; şair; öğretmen; öğretmenim; öğrenci; eşim; oğlum; kızım;
        yaşında; yaşındayım; köy; burcu; ikizler; uşak; nehir; kullanıyorum
    """,
    Role.TALE: "fısıldadı; bağırdı; varmış",
}
