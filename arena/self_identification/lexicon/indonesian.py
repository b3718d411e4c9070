"""Indonesian words, and Malay ones where they differ. Knows no names of models."""

from __future__ import annotations

from arena.self_identification.lexicon.roles import Role

INDONESIAN = {
    Role.SELF: """
        saya adalah; saya; aku adalah; aku; saya bukan; saya bukanlah; saya ialah; aku bukan;
        saya memang; saya ini
    """,
    Role.CALLED: """
        nama saya; nama saya adalah; namaku; nama saya ialah; panggil saya; panggil aku;
        anda bisa memanggil saya; anda boleh memanggil saya; kamu bisa memanggil saya;
        saya bernama; anda dapat memanggil saya; saya dipanggil; saya dikenal sebagai;
        namaku adalah; saya disebut
    """,
    Role.PASSIVE: "saya telah; saya tidak; saya sudah; saya juga; saya awalnya",
    Role.RUNS_ON: """
        anda sedang berbicara dengan; kamu sedang berbicara dengan; anda berbicara dengan;
        saya berjalan di atas; saya berjalan pada; saya berbasis; saya didasarkan pada;
        saya berasal dari; saya bagian dari; saya adalah bagian dari; saya produk dari;
        saya adalah produk; saya ditenagai oleh; saya didukung oleh;
        saya merupakan bagian dari; saya merupakan produk
    """,
    Role.MAKER: """
        pencipta saya; pengembang saya; pembuat saya; para pengembang saya;
        perusahaan yang menciptakan saya; perusahaan yang mengembangkan saya;
        perusahaan pengembang saya; tim pengembang saya; pencipta saya adalah
    """,
    Role.AS: "sebagai",
    Role.THIS_IS: "ini adalah",
    Role.HERE: "siap membantu; di sini; siap melayani; siap membantu anda",
    Role.MADE_ME: """
        menciptakan saya; mengembangkan saya; melatih saya; membuat saya; merancang saya;
        membangun saya
    """,
    Role.TRAINED: """
        dikembangkan; dilatih; diciptakan; dibangun; dirancang; diprogram; mengembangkan;
        melatih; menciptakan; merancang; pengembangan; dilatih dan dikembangkan;
        disempurnakan; dicipta; dibangunkan; terlatih
    """,
    Role.MADE: """
        dibuat; membuat; diluncurkan; dirilis; diproduksi; disediakan; buatan; milik; besutan;
        produksi
    """,
    Role.BY: "oleh; dari; atas dasar; tim dari; perusahaan; syarikat",
    Role.AT: "di; dalam; pada",
    Role.NAMED: "bernama; yang bernama; yang disebut; dengan nama; dipanggil",
    Role.ARTIFICIAL: """
        model bahasa; model bahasa besar; asisten; asisten ai; asisten virtual;
        kecerdasan buatan; ai; chatbot; model; model ai; llm; bot; program komputer;
        pembantu maya; pembantu; pembantu ai; model kecerdasan buatan; asisten digital;
        model bahasa ai; sistem
    """,
    Role.ARTICLE: "sebuah; seorang; salah satu; suatu; satu",
    Role.FILLER: """
        adalah; bukan; tidak; hanya; sebenarnya; dan; atau; juga; yang; telah; tim; peneliti;
        insinyur; awalnya; tetapi; melainkan; khusus; tentu; saat ini; memang; merupakan;
        sekelompok
    """,
    Role.QUALITY: """
        besar; virtual; ramah; kecil; digital; canggih; cerdas; berguna; pintar; maya
    """,
    Role.ASSISTING: "membantu; bantu; pertanyaan; menjawab; perasaan; pendapat; emosi",
    Role.GREETING: "halo; hai; selamat pagi; selamat siang; ya; baik; selamat datang; senang",
    Role.HYPOTHETICAL: """
        jika; kalau; katanya; berkata; bayangkan; misalkan; pikir; kalimat; artinya;
        seandainya; apakah; bilang; seolah
    """,
    Role.CONTRARY: """
        lahir; karyawan; pengguna; pelanggan; penggemar; pelukis; raja; ratu; ksatria; bajak;
        kapten; detektif; penyair; guru; siswa; mahasiswa; istri; suami; anak; putra; putri;
        tahun; desa; zodiak; pelayan; sungai; bekerja; menyarankan
    """,
    Role.TALE: "bisik; bisiknya; alkisah; teriak",
}
