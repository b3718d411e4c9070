"""Words before a colon that introduce an answer, and the ends of letters. Knows no names."""

# ruff: noqa: RUF001 -- these letters are meant, though they look like Latin ones

from __future__ import annotations

from arena.self_identification.folding import words


def _labels(text: str) -> list[tuple[str, ...]]:
    return [words(label) for label in text.split(";")]


# A line that begins "Alice:" is Alice's; one that begins with these is the assistant's own.
ANSWER_LABELS = frozenset(
    word
    for label in _labels(
        """
    assistant; ai; answer; response; reply; bot; chatbot; me; note; introduction; identity;
    name; a; system; model; llm; summary; disclaimer; yes; no; hello; hi; sure; who; i; my;
    about; question; output; result; short; long; fact; important; remember; okay;
    assistente; asistente; assistent; asystent; réponse; assistant ia; moi; antwort; ich;
    respuesta; yo; resposta; eu; risposta; io; antwoord; ik; odpowiedź; ja; ответ; я;
    ассистент; помощник; відповідь; cevap; yanıt; ben; jawaban; saya; trả lời; tôi; الإجابة;
    الجواب; إجابة; المساعد; أنا; تשובה; תשובה; אני; پاسخ; من; उत्तर; मैं; সহায়ক; svar; jag;
    jeg; vastaus; minä; odpověď; já; răspuns; απάντηση; εγώ; nota; hinweis; remarque;
    note de; penting; catatan; примечание
        """
    )
    for word in label
) | frozenset(
    "".join(label)
    for label in _labels(
        """
    回答; 答; 答案; 自我介绍; 自我介紹; 身份; 我; 助手; 人工智能; 注; 注意; 提示; 回答例;
    返答; 自己紹介; アシスタント; 私; 回答文; 답변; 답; 어시스턴트; 자기소개; 저; 참고;
    คำตอบ; ตอบ
        """
    )
)

CLOSINGS = frozenset(
    " ".join(closing)
    for closing in _labels(
        """
    best; best regards; regards; kind regards; warm regards; warmly; sincerely;
    yours sincerely; yours truly; yours; yours faithfully; cheers; all the best; love;
    best wishes; with best wishes; sincerely yours; respectfully; thanks; thank you;
    cordialement; bien à vous; amicalement; mit freundlichen grüßen; viele grüße;
    liebe grüße; beste grüße; herzliche grüße; saludos; un saludo; atentamente;
    saludos cordiales; atenciosamente; abraços; cordialmente; cordiali saluti;
    distinti saluti; met vriendelijke groet; groeten; pozdrawiam; z poważaniem; с уважением;
    ваш; ваша; saygılarımla; sevgiler; salam; hormat saya; salam hangat; trân trọng;
    مع أطيب التحيات; تحياتي; 此致; 敬具; 감사합니다; med vänliga hälsningar;
    med venlig hilsen; vennlig hilsen; ystävällisin terveisin; s pozdravem; cu respect;
    με εκτίμηση; सादर; धन्यवाद; בברכה
        """
    )
)
