package copilot

// stopWords carry no meaning of their own: the short lists of the Snowball project
// (https://snowballstem.org/algorithms/), cut to the words that occur in questions, with the courtesies of a chat.
var stopWords = map[string]string{
	"en": `a about after all also am an and any anybody anyone anything are as at be because been before being but by can
		cannot could couldn did didn do does doesn doing don done each else ever for from had has hasn have haven having he
		hello hey hi her here hers him his how i if im in into is isn it its just ll let may me might mine more most much
		must my no nor not now of off ok okay on once one only or other our out over own please pls re s same shall she
		should so some somebody someone something such t than thank thanks that the their them then there these they this
		those through to too u up us ve very via was wasn we were what whats when where which while who whom whose why will
		with without won would wouldn yes yet you your yours`,
	"de": `ab aber alle allem allen aller alles als also am an auch auf aus bei beim bin bis bitte bist da dabei damit
		danke dann das dass dein deine dem den denn der des dich die dies diese diesem diesen dieser dieses dir doch dort du
		durch ein eine einem einen einer eines er es etwas euch euer eure für gegen gibt hab habe haben habt hallo hat hatte
		hatten hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in ins ist ja jede jedem jeden jeder jedes
		jetzt kann kannst kein keine keinem keinen keiner können könnte könnten man mein meine meinem meinen meiner mich mir
		mit muss müssen nach nicht nichts noch nun nur ob oder ohne schon sehr sein seine sich sie sind so soll sollen
		sollte um und uns unser unsere unter vom von vor wann war waren warum was weil welche welchem welchen welcher
		welches wenn wer werde werden weshalb wie wieder wieso will wir wird wo woher wohin wurde wurden zu zum zur über`,
	"fr": `a ai alors as au aussi aux avant avec avez avoir avons bonjour c ce cela ces cet cette ceux chez comme comment
		combien d dans de des donc dont du elle elles en encore es est et etait ete etes etre eu fait faire faut il ils j je
		l la le les leur leurs lui m ma mais me merci mes moi mon n ne nos notre nous on ont ou où par pas peu peut peux
		plus pour pourquoi pouvez puis qu quand que quel quelle quelles quels qui quoi s sa salut sans se sera ses si sont
		son sous suis sur t ta te tes toi ton tous tout toute toutes tres tu un une va vais vos votre vous y`,
	"es": `a al algo algun alguna ante antes aqui asi aun bien buenas buenos como con cual cuales cuando cuanto cuanta
		cuantos de del desde donde e el ella ellas ellos en entre era es esa ese eso esta estan estar estas este esto estos
		estoy favor fue gracias ha haber hace hacer han has hasta hay he hola la las le les lo los mas me mi mis mucho muy
		nada ni no nos nosotros nuestra nuestro o os otra otro para pero poco podria por porque pueda puede pueden puedo que
		quien se sea ser si sin sobre son soy su sus tambien tan te tengo tiene tienen tu tus un una uno unos usted ustedes
		va y ya yo`,
	"nl": `aan al alle als alstublieft ben bij bedankt dan dat de deze die dit doe doen door dus een en er geen gaan had
		hallo heb hebben heeft hem het hier hij hoe hoi hun ik in is ja je jij jou jouw jullie kan kon kunnen kunt maar me
		meer men met mij mijn moet moeten mogen na naar niet niets nog nou nu of om omdat ons onze ook op over te tegen toch
		toen tot u uit uw van veel voor waar waarom wanneer want waren was wat we wel welk welke werd wie wij wil worden
		wordt zal ze zelf zich zij zijn zo zonder zou`,
	"ar": `من في على إلى الى عن مع هذا هذه ذلك تلك هو هي هم انا أنا نحن انت أنت ما ماذا متى أين اين كيف كم هل لماذا لا لم لن
		ليس أو او و ثم قد كان كانت يكون عند عندي لدي لي لك لكم يمكن يمكنني أن ان إن التي الذي كل بعد قبل مرحبا شكرا`,
}

// weakWords say little about what a question is about, but are not nothing: "how long", "what does it cost".
var weakWords = map[string]string{
	"en": `able actually again already always anymore available back best came check come day days find first get gets getting give go
		going good got happen happens help hour hours i'd information keep kind know last like long look looking made make
		many mean minute month months need needed new next number often old order people possible problem question really
		right say see show soon start still sure take takes taking tell thing things time times today tomorrow try trying
		use used using want wanted way week weeks wish work working works wrong year years`,
	"de": `brauche brauchen bekomme bekommen dauert dauern finde finden frage funktioniert gehen geht gern gerne habe heute
		hilfe immer kommen kommt lang lange machen macht mal mehr möchte möchten möglich neu neue problem sagen stelle
		stunden tag tage tagen tun uhr viel viele weiß wissen woche wochen zeit`,
	"fr": `aider aide aller avoir besoin bon bonne comment dire donner faire fois heure heures info jour jours longtemps
		mettre mois nouveau nouvelle possible pouvoir prendre prend problème question savoir semaine temps trouver utiliser
		veut veux voir voudrais vouloir`,
	"es": `ayuda ayudar dar decir día días encontrar funciona funcionar hacer hora horas ir mes necesito nuevo nueva obtener
		poder posible problema pregunta quiero quisiera saber semana tarda tardar tiempo tomar usar veces ver vez`,
	"nl": `dag dagen duurt duren gaat geven graag hulp komen komt krijg krijgen lang maken mogelijk nieuw nieuwe nodig
		tijd uur vinden vraag week weken werkt weten willen zien`,
}
