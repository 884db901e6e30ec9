package routing

import "github.com/opencopilot/handoff-operator/api/v1alpha1"

// The texts of when nobody is there. Those that begin with Unavailable are replaced by the policy's messages of that
// event. {contact} is what the customer left.
const (
	TextAskEmail        v1alpha1.MessageEvent = "Unavailable/CollectContact"
	TextAskPhone        v1alpha1.MessageEvent = "Unavailable/Callback"
	TextVoicemail       v1alpha1.MessageEvent = "Unavailable/Voicemail"
	TextEmailKept       v1alpha1.MessageEvent = "Contact/Email"
	TextPhoneKept       v1alpha1.MessageEvent = "Contact/Phone"
	TextEmailUnreadable v1alpha1.MessageEvent = "Contact/NoEmail"
	TextPhoneUnreadable v1alpha1.MessageEvent = "Contact/NoPhone"
)

// builtInTexts are what customers are told where the policy has no message of its own, by event and language. Of
// several the first whose variables are known is used, so the last has none.
var builtInTexts = map[v1alpha1.MessageEvent]map[string][]string{
	v1alpha1.MessageHandoff: {
		"en": {"I am passing this on to a colleague."},
		"de": {"Ich gebe das an eine Kollegin oder einen Kollegen weiter."},
		"fr": {"Je transmets votre demande à un collègue."},
		"ar": {"سأحوّل محادثتك إلى أحد الزملاء."},
		"nl": {"Ik geef dit door aan een collega."},
		"es": {"Paso su consulta a un compañero."},
	},
	v1alpha1.MessageQueued: {
		"en": {"You are number {position} in the queue; at the moment that takes about {wait}. A colleague will be with you as soon as possible.", "You are number {position} in the queue. A colleague will be with you as soon as possible.", "A colleague will be with you as soon as possible."},
		"de": {"Sie sind Nummer {position} in der Warteschlange; das dauert zurzeit etwa {wait}. So bald wie möglich ist jemand für Sie da.", "Sie sind Nummer {position} in der Warteschlange. So bald wie möglich ist jemand für Sie da.", "So bald wie möglich ist jemand für Sie da."},
		"fr": {"Vous êtes en position {position} dans la file d'attente, soit environ {wait} en ce moment. Un collègue vous répondra dès que possible.", "Vous êtes en position {position} dans la file d'attente. Un collègue vous répondra dès que possible.", "Un collègue vous répondra dès que possible."},
		"ar": {"ترتيبك في قائمة الانتظار هو {position}، والمدة المتوقعة الآن نحو {wait}. سيرد عليك أحد الزملاء في أقرب وقت ممكن.", "ترتيبك في قائمة الانتظار هو {position}. سيرد عليك أحد الزملاء في أقرب وقت ممكن.", "سيرد عليك أحد الزملاء في أقرب وقت ممكن."},
		"nl": {"U bent nummer {position} in de wachtrij; dat duurt op dit moment ongeveer {wait}. Een collega helpt u zo snel mogelijk.", "U bent nummer {position} in de wachtrij. Een collega helpt u zo snel mogelijk.", "Een collega helpt u zo snel mogelijk."},
		"es": {"Es usted el número {position} en la cola; ahora mismo son unos {wait}. Un compañero le atenderá lo antes posible.", "Es usted el número {position} en la cola. Un compañero le atenderá lo antes posible.", "Un compañero le atenderá lo antes posible."},
	},
	v1alpha1.MessageAssigned: {
		"en": {"You are now talking to {agent}.", "You are now talking to a colleague."},
		"de": {"Sie sprechen jetzt mit {agent}.", "Sie sprechen jetzt mit einem Menschen aus unserem Team."},
		"fr": {"Vous êtes maintenant en conversation avec {agent}.", "Vous êtes maintenant en conversation avec un collègue."},
		"ar": {"أنت تتحدث الآن مع {agent}.", "أنت تتحدث الآن مع أحد الزملاء."},
		"nl": {"U spreekt nu met {agent}.", "U spreekt nu met een collega."},
		"es": {"Ahora habla con {agent}.", "Ahora habla con un compañero."},
	},
	v1alpha1.MessageUnavailable: {
		"en": {"Nobody is available right now. Your request stays in the queue and will be answered as soon as someone is back."},
		"de": {"Im Moment ist niemand erreichbar. Ihre Anfrage bleibt in der Warteschlange und wird beantwortet, sobald wieder jemand da ist."},
		"fr": {"Personne n'est disponible pour le moment. Votre demande reste dans la file d'attente et recevra une réponse dès que quelqu'un sera de retour."},
		"ar": {"لا يوجد أحد متاح حاليًا. سيبقى طلبك في قائمة الانتظار وسيُجاب عليه فور عودة أحد الزملاء."},
		"nl": {"Er is op dit moment niemand beschikbaar. Uw vraag blijft in de wachtrij en wordt beantwoord zodra er weer iemand is."},
		"es": {"Ahora mismo no hay nadie disponible. Su consulta sigue en la cola y recibirá respuesta en cuanto alguien vuelva."},
	},
	v1alpha1.MessageReturned: {
		"en": {"You are talking to the assistant again. How can I help?"},
		"de": {"Sie sprechen wieder mit dem Assistenten. Wie kann ich helfen?"},
		"fr": {"Vous parlez de nouveau avec l'assistant. Comment puis-je vous aider ?"},
		"ar": {"أنت تتحدث مع المساعد من جديد. كيف يمكنني مساعدتك؟"},
		"nl": {"U spreekt weer met de assistent. Waarmee kan ik helpen?"},
		"es": {"Vuelve a hablar con el asistente. ¿En qué puedo ayudarle?"},
	},
	v1alpha1.MessageResolved: {
		"en": {"This request has been closed as resolved. Write again if anything is still open."},
		"de": {"Diese Anfrage wurde als gelöst geschlossen. Schreiben Sie wieder, wenn noch etwas offen ist."},
		"fr": {"Cette demande a été clôturée comme résolue. Écrivez-nous de nouveau s'il reste une question."},
		"ar": {"تم إغلاق هذا الطلب بعد حله. اكتب إلينا مجددًا إذا بقي أي سؤال."},
		"nl": {"Deze vraag is als opgelost gesloten. Schrijf ons opnieuw als er nog iets openstaat."},
		"es": {"Esta consulta se ha cerrado como resuelta. Escriba de nuevo si queda algo pendiente."},
	},
	v1alpha1.MessageNotUnderstood: {
		"en": {"I do not know the answer to that. Could you say it in other words? You can also ask for a human."},
		"de": {"Darauf weiß ich keine Antwort. Können Sie es anders sagen? Sie können auch nach einem Menschen fragen."},
		"fr": {"Je ne connais pas la réponse. Pouvez-vous le dire autrement ? Vous pouvez aussi demander à parler à un humain."},
		"ar": {"لا أعرف الإجابة عن ذلك. هل يمكنك قول ذلك بكلمات أخرى؟ يمكنك أيضًا طلب التحدث إلى إنسان."},
		"nl": {"Daar weet ik het antwoord niet op. Kunt u het anders zeggen? U kunt ook om een mens vragen."},
		"es": {"No sé la respuesta. ¿Puede decirlo con otras palabras? También puede pedir hablar con una persona."},
	},
	TextAskEmail: {
		"en": {"Nobody is available right now. Leave your e-mail address here and we will answer you."},
		"de": {"Im Moment ist niemand erreichbar. Hinterlassen Sie hier Ihre E-Mail-Adresse, dann antworten wir Ihnen."},
		"fr": {"Personne n'est disponible pour le moment. Laissez ici votre adresse e-mail et nous vous répondrons."},
		"ar": {"لا يوجد أحد متاح حاليًا. اترك هنا عنوان بريدك الإلكتروني وسنرد عليك."},
		"nl": {"Er is op dit moment niemand beschikbaar. Laat hier uw e-mailadres achter, dan antwoorden wij u."},
		"es": {"Ahora mismo no hay nadie disponible. Deje aquí su dirección de correo electrónico y le responderemos."},
	},
	TextAskPhone: {
		"en": {"Nobody is available right now. Leave your phone number here, with its country code, and we will call you back."},
		"de": {"Im Moment ist niemand erreichbar. Hinterlassen Sie hier Ihre Telefonnummer mit Landesvorwahl, dann rufen wir Sie zurück."},
		"fr": {"Personne n'est disponible pour le moment. Laissez ici votre numéro de téléphone avec l'indicatif du pays et nous vous rappellerons."},
		"ar": {"لا يوجد أحد متاح حاليًا. اترك هنا رقم هاتفك مع رمز الدولة وسنتصل بك."},
		"nl": {"Er is op dit moment niemand beschikbaar. Laat hier uw telefoonnummer met landnummer achter, dan bellen wij u terug."},
		"es": {"Ahora mismo no hay nadie disponible. Deje aquí su número de teléfono con el prefijo del país y le llamaremos."},
	},
	TextVoicemail: {
		"en": {"Nobody is available right now. Leave a message and we will call you back."},
		"de": {"Im Moment ist niemand erreichbar. Hinterlassen Sie eine Nachricht, dann rufen wir Sie zurück."},
		"fr": {"Personne n'est disponible pour le moment. Laissez un message et nous vous rappellerons."},
		"ar": {"لا يوجد أحد متاح حاليًا. اترك رسالة وسنتصل بك."},
		"nl": {"Er is op dit moment niemand beschikbaar. Spreek een bericht in, dan bellen wij u terug."},
		"es": {"Ahora mismo no hay nadie disponible. Deje un mensaje y le llamaremos."},
	},
	TextEmailKept: {
		"en": {"Thank you. We will answer you at {contact}."},
		"de": {"Danke. Wir antworten Ihnen an {contact}."},
		"fr": {"Merci. Nous vous répondrons à {contact}."},
		"ar": {"شكرًا لك. سنرد عليك على {contact}."},
		"nl": {"Dank u. Wij antwoorden u op {contact}."},
		"es": {"Gracias. Le responderemos a {contact}."},
	},
	TextPhoneKept: {
		"en": {"Thank you. We will call you back on {contact}."},
		"de": {"Danke. Wir rufen Sie unter {contact} zurück."},
		"fr": {"Merci. Nous vous rappellerons au {contact}."},
		"ar": {"شكرًا لك. سنتصل بك على {contact}."},
		"nl": {"Dank u. Wij bellen u terug op {contact}."},
		"es": {"Gracias. Le llamaremos al {contact}."},
	},
	TextEmailUnreadable: {
		"en": {"I could not read an e-mail address in that. Please write it like ada@example.com."},
		"de": {"Darin konnte ich keine E-Mail-Adresse lesen. Bitte schreiben Sie sie wie ada@example.com."},
		"fr": {"Je n'ai pas pu y lire d'adresse e-mail. Écrivez-la par exemple ainsi : ada@example.com."},
		"ar": {"لم أتمكن من قراءة عنوان بريد إلكتروني في ذلك. اكتبه من فضلك مثل ada@example.com."},
		"nl": {"Daarin kon ik geen e-mailadres lezen. Schrijf het zoals ada@example.com."},
		"es": {"No he podido leer ahí una dirección de correo. Escríbala así: ada@example.com."},
	},
	TextPhoneUnreadable: {
		"en": {"I could not read a phone number in that. Please write it with its country code, like +44 20 7946 0958."},
		"de": {"Darin konnte ich keine Telefonnummer lesen. Bitte schreiben Sie sie mit Landesvorwahl wie +49 30 901820."},
		"fr": {"Je n'ai pas pu y lire de numéro de téléphone. Écrivez-le avec l'indicatif du pays, par exemple +33 1 70 18 99 00."},
		"ar": {"لم أتمكن من قراءة رقم هاتف في ذلك. اكتبه من فضلك مع رمز الدولة مثل \u200e+44 20 7946 0958."},
		"nl": {"Daarin kon ik geen telefoonnummer lezen. Schrijf het met landnummer zoals +31 20 794 0958."},
		"es": {"No he podido leer ahí un número de teléfono. Escríbalo con el prefijo del país, como +34 91 123 45 67."},
	},
}
