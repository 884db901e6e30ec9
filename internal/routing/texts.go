package routing

import "github.com/opencopilot/handoff-operator/api/v1alpha1"

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
		"en": {"You are number {position} in the queue. A colleague will be with you as soon as possible.", "A colleague will be with you as soon as possible."},
		"de": {"Sie sind Nummer {position} in der Warteschlange. So bald wie möglich ist jemand für Sie da.", "So bald wie möglich ist jemand für Sie da."},
		"fr": {"Vous êtes en position {position} dans la file d'attente. Un collègue vous répondra dès que possible.", "Un collègue vous répondra dès que possible."},
		"ar": {"ترتيبك في قائمة الانتظار هو {position}. سيرد عليك أحد الزملاء في أقرب وقت ممكن.", "سيرد عليك أحد الزملاء في أقرب وقت ممكن."},
		"nl": {"U bent nummer {position} in de wachtrij. Een collega helpt u zo snel mogelijk.", "Een collega helpt u zo snel mogelijk."},
		"es": {"Es usted el número {position} en la cola. Un compañero le atenderá lo antes posible.", "Un compañero le atenderá lo antes posible."},
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
}
