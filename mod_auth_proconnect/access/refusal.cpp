#include "access/refusal.hpp"

#include <array>

namespace proconnect::access {
namespace {

struct Sentence {
    std::string_view claim;
    core::Message french, english;
};

constexpr std::string_view kTitleFr = "Accès refusé", kTitleEn = "Access denied";

constexpr std::array kSentences{
    Sentence{"roles", {kTitleFr, "Ce service est réservé aux agents publics dans des fonctions déterminées."}, {kTitleEn, "This service is reserved for public agents with certain functions."}},
    Sentence{"email", {kTitleFr, "Ce service est réservé à des personnes désignées. Votre adresse électronique n’en fait pas partie."},
             {kTitleEn, "This service is reserved for named people. Your e-mail address is not among theirs."}},
    Sentence{"email_domain", {kTitleFr, "Ce service est réservé aux adresses électroniques de certaines organisations. La vôtre n’en fait pas partie."},
             {kTitleEn, "This service is reserved for e-mail addresses of certain organisations. Yours is not one of them."}},
    Sentence{"idp_id", {kTitleFr, "Ce service est réservé aux agents qui se connectent par certains fournisseurs d’identité."},
             {kTitleEn, "This service is reserved for agents who sign in through certain identity providers."}},
    Sentence{"siret", {kTitleFr, "Ce service est réservé à certaines organisations. La vôtre n’en fait pas partie."},
             {kTitleEn, "This service is reserved for certain organisations. Yours is not one of them."}},
    Sentence{"siren", {kTitleFr, "Ce service est réservé à certaines organisations. La vôtre n’en fait pas partie."},
             {kTitleEn, "This service is reserved for certain organisations. Yours is not one of them."}},
    Sentence{"sub", {kTitleFr, "Ce service est réservé à des personnes désignées."}, {kTitleEn, "This service is reserved for named people."}},
    Sentence{"uid", {kTitleFr, "Ce service est réservé à des personnes désignées."}, {kTitleEn, "This service is reserved for named people."}},
    Sentence{"belonging_population", {kTitleFr, "Ce service est réservé à certaines catégories de personnel."}, {kTitleEn, "This service is reserved for certain categories of staff."}},
    Sentence{"organizational_unit", {kTitleFr, "Ce service est réservé à certaines unités."}, {kTitleEn, "This service is reserved for certain units."}},
    Sentence{"groups", {kTitleFr, "Ce service est réservé à certains groupes."}, {kTitleEn, "This service is reserved for certain groups."}},
    Sentence{"acr", {"Une authentification plus forte est nécessaire", "Ce service demande une connexion plus sûre (par exemple à deux facteurs) que celle de votre compte."},
             {"Stronger authentication needed", "This service requires a safer sign-in (with two factors, for instance) than that of your account."}},
    Sentence{"amr", {"Un autre moyen de connexion est nécessaire", "Ce service demande un moyen de connexion (par exemple à deux facteurs) que votre fournisseur d’identité n’a pas utilisé."},
             {"Another way to sign in is needed", "This service requires a way to sign in (with two factors, for instance) that your identity provider did not use."}},
};

constexpr Sentence kOther{"", {kTitleFr, "Votre compte ne remplit pas les conditions d’accès à ce service."}, {kTitleEn, "Your account does not meet the conditions of this service."}};
constexpr Sentence kState{"", {kTitleFr, "Ce service est réservé aux agents publics de l’État."}, {kTitleEn, "This service is reserved for public agents of the State."}};
constexpr Sentence kTerritorial{"", {kTitleFr, "Ce service est réservé aux agents publics territoriaux."}, {kTitleEn, "This service is reserved for public agents of local authorities."}};
constexpr Sentence kAgents{"", {kTitleFr, "Ce service est réservé aux agents publics."}, {kTitleEn, "This service is reserved for public agents."}};
constexpr Sentence kLeaders{"", {kTitleFr, "Ce service est réservé aux dirigeants d’entreprise dont la qualité est certifiée."}, {kTitleEn, "This service is reserved for certified heads of companies."}};
constexpr Sentence kExcluded{"", {kTitleFr, "Ce service n’est pas ouvert aux comptes tels que le vôtre."}, {kTitleEn, "This service is not open to accounts such as yours."}};
constexpr Sentence kNoList{"", {"Accès momentanément impossible", "Le service ne peut pas vérifier pour le moment qui y a accès. Réessayez plus tard ; si le problème persiste, communiquez la référence au support."},
                           {"Access impossible at the moment", "The service cannot check who has access at the moment. Try again later; if the problem persists, give the reference to the support team."}};

/// A rule on roles by what it names.
const Sentence& roles_sentence(const Rule& rule) {
    const bool state = rule.accepts("agent_public_etat"), territorial = rule.accepts("agent_public_territorial");
    if (rule.accepts("agent_public") || (state && territorial)) {
        return kAgents;
    }
    return state ? kState : territorial ? kTerritorial : kSentences[0];
}

const Sentence& sentence_of(const Rule& rule, Outcome outcome, bool negated) {
    if (outcome == Outcome::list_unavailable) {
        return kNoList;
    }
    if (negated && outcome == Outcome::met) {
        return kExcluded;
    }
    if (rule.claim() == "roles") {
        return roles_sentence(rule);
    }
    if (rule.claim() == "acr" && rule.accepted().size() == 1 && rule.accepted().front().ends_with("/certification-dirigeant")) {
        return kLeaders;
    }
    for (const auto& sentence : kSentences) {
        if (sentence.claim == rule.claim()) {
            return sentence;
        }
    }
    return kOther;
}

}  // namespace

core::Message refusal_message(const Rule& rule, Outcome outcome, bool negated, core::Language language) {
    const auto& sentence = sentence_of(rule, outcome, negated);
    return language == core::Language::french ? sentence.french : sentence.english;
}

}  // namespace proconnect::access
