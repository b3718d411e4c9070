"""Vietnamese words of self-identification. Knows no names of models."""

from __future__ import annotations

from arena.self_identification.lexicon.roles import Role

VIETNAMESE = {
    Role.SELF: """
        tôi là; mình là; em là; tôi không phải là; tôi không phải; mình không phải là;
        tôi chính là; tớ là
    """,
    Role.CALLED: """
        tên tôi là; tên của tôi là; tôi tên là; tôi tên; mình tên là; bạn có thể gọi tôi là;
        hãy gọi tôi là; gọi tôi là; tên mình là; tôi được gọi là
    """,
    Role.PASSIVE: """
        tôi được; mình được; tôi đã được; tôi không được; em được; tôi đã không được;
        mình đã được
    """,
    Role.RUNS_ON: """
        bạn đang nói chuyện với; bạn đang trò chuyện với; tôi chạy trên; tôi dựa trên;
        tôi hoạt động dựa trên; tôi đến từ; tôi thuộc; tôi là sản phẩm của;
        tôi được xây dựng trên; tôi là một sản phẩm của
    """,
    Role.MAKER: """
        người tạo ra tôi; nhà phát triển của tôi; người sáng tạo ra tôi; công ty tạo ra tôi;
        các nhà phát triển của tôi; đội ngũ phát triển của tôi; công ty phát triển tôi;
        người phát triển tôi
    """,
    Role.THIS_IS: "đây là",
    Role.AS: "với tư cách là; với vai trò là",
    Role.HERE: "sẵn sàng phục vụ; xin phục vụ; đây",
    Role.FIRST_PERSON: "tôi; mình; em",
    Role.MADE_ME: """
        tạo ra tôi; phát triển tôi; huấn luyện tôi; tạo nên tôi; đào tạo tôi; thiết kế tôi
    """,
    Role.TRAINED: """
        phát triển; huấn luyện; tạo ra; đào tạo; thiết kế; lập trình; tạo nên; sáng tạo;
        xây dựng; nghiên cứu và phát triển; tinh chỉnh
    """,
    Role.MADE: "phát hành; sản xuất; ra mắt; cung cấp; làm ra",
    Role.BY: "bởi; của; từ; do; bởi công ty; bởi các; bởi đội ngũ",
    Role.AT: "tại; ở; trong",
    Role.NAMED: "tên là; có tên là; có tên; mang tên; được gọi là; tên",
    Role.ARTIFICIAL: """
        mô hình ngôn ngữ; mô hình ngôn ngữ lớn; trợ lý; trợ lý ảo; trợ lý ai;
        trí tuệ nhân tạo; ai; chatbot; mô hình; mô hình ai; mô hình trí tuệ nhân tạo;
        trợ lý trí tuệ nhân tạo; chương trình; hệ thống; robot; llm
    """,
    Role.ARTICLE: "một; các; những",
    Role.FILLER: """
        không; phải; là; được; đã; và; hoặc; mà; thực ra; chỉ; công ty; đội ngũ; nhóm; kỹ sư;
        nhà nghiên cứu; ban đầu; cũng; vốn; lớn; thật ra; hãng
    """,
    Role.QUALITY: "ảo; hữu ích; thông minh; tiên tiến; thân thiện; nhỏ; kỹ thuật số",
    Role.ASSISTING: "giúp; giúp bạn; giúp gì; câu hỏi; trả lời; hỗ trợ; ý kiến; cảm xúc",
    Role.GREETING: "xin chào; chào; chào bạn; vâng; tất nhiên; rất vui",
    Role.HYPOTHETICAL: "nếu; nói; giả sử; nghĩ; tưởng tượng; cho rằng; liệu; câu; nghĩa",
    Role.CONTRARY: """
        nhân viên; người dùng; khách hàng; sinh ra; quản gia; vua; công chúa; hiệp sĩ;
        cướp biển; thuyền trưởng; giáo viên; học sinh; tuổi; làng; cung hoàng đạo; làm việc;
        fan
    """,
    Role.TALE: "ngày xửa; thì thầm",
}
