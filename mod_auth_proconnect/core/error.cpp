#include "core/error.hpp"

#include <array>

namespace proconnect::core {
namespace {

using enum ErrorCode;
using enum NextStep;
constexpr auto kInfo = LogLevel::info;
constexpr auto kNotice = LogLevel::notice;
constexpr auto kWarning = LogLevel::warning;
constexpr auto kError = LogLevel::error;

// Sentences shared by several entries: the agent can do nothing different about them, only the log differs.
constexpr Message kLoginFailedFr{"La connexion n’a pas abouti",
                                 "La réponse de ProConnect n’a pas pu être vérifiée. Réessayez ; si le problème persiste, "
                                 "communiquez la référence ci-dessous au support."};
constexpr Message kLoginFailedEn{"The sign-in did not complete",
                                 "The answer of ProConnect could not be verified. Try again; if the problem persists, give the "
                                 "reference below to the support team."};
constexpr Message kProviderDownFr{"ProConnect ne répond pas",
                                  "Le service de connexion ProConnect est momentanément injoignable. Patientez une minute, puis réessayez."};
constexpr Message kProviderDownEn{"ProConnect does not answer",
                                  "The ProConnect sign-in service cannot be reached at the moment. Wait a minute, then try again."};
constexpr Message kSetupFr{"Ce service est mal configuré",
                           "La connexion à ce service ne peut pas fonctionner tant que son administrateur n’est pas intervenu. "
                           "Communiquez la référence ci-dessous au support."};
constexpr Message kSetupEn{"This service is not set up correctly",
                           "Signing in to this service cannot work until its administrator has acted. Give the reference below to the support team."};
constexpr Message kRestartFr{"Reprenons la connexion",
                             "Cette page de connexion n’est plus utilisable dans ce navigateur. Recommencez d’un clic."};
constexpr Message kRestartEn{"Let us start the sign-in again",
                             "This sign-in page can no longer be used in this browser. Start again with one click."};
constexpr Message kInternalFr{"Une erreur est survenue",
                              "Le serveur n’a pas pu traiter la demande. Réessayez ; si le problème persiste, communiquez la référence ci-dessous au support."};
constexpr Message kInternalEn{"Something went wrong",
                              "The server could not process the request. Try again; if the problem persists, give the reference below to the support team."};
constexpr Message kSessionsFr{"Service momentanément indisponible",
                              "Les sessions ne peuvent pas être lues ou enregistrées pour le moment. Patientez une minute, puis réessayez."};
constexpr Message kSessionsEn{"Service temporarily unavailable",
                              "Sessions cannot be read or stored at the moment. Wait a minute, then try again."};

constexpr Message kDeniedFr{"Accès refusé", "Vous êtes bien connecté, mais votre compte ne remplit pas les conditions d’accès à cette page."};
constexpr Message kDeniedEn{"Access denied", "You are signed in, but your account does not meet the conditions for this page."};

constexpr std::array kCatalogue{
    CatalogueEntry{callback_without_state, "callback_without_state", 400, kInfo, retry_login, kRestartFr, kRestartEn},
    CatalogueEntry{state_unreadable, "state_unreadable", 400, kInfo, retry_login, kRestartFr, kRestartEn},
    CatalogueEntry{state_expired, "state_expired", 400, kInfo, retry_login,
                   {"La connexion a pris trop de temps",
                    "Pour votre sécurité, une connexion doit être terminée en moins d’une heure. Recommencez d’un clic : vous reviendrez à la page demandée."},
                   {"The sign-in took too long",
                    "For your security a sign-in must be completed within an hour. Start again with one click: you will return to the page you asked for."}},
    CatalogueEntry{state_of_another_browser, "state_of_another_browser", 400, kInfo, retry_login, kRestartFr, kRestartEn},
    CatalogueEntry{parameters_malformed, "parameters_malformed", 400, kInfo, site_start,
                   {"Adresse incorrecte", "L’adresse demandée est incomplète ou mal formée. Revenez à l’accueil du service."},
                   {"Incorrect address", "The requested address is incomplete or malformed. Go back to the start of the service."}},
    CatalogueEntry{callback_without_code, "callback_without_code", 400, kInfo, retry_login, kRestartFr, kRestartEn},
    CatalogueEntry{cookies_refused, "cookies_refused", 400, kNotice, retry_login,
                   {"Votre navigateur n’a pas conservé le cookie de connexion",
                    "Vous êtes bien passé par ProConnect, mais le navigateur n’a pas renvoyé le cookie de ce site. Autorisez les cookies pour ce site, puis réessayez."},
                   {"Your browser did not keep the sign-in cookie",
                    "You did go through ProConnect, but the browser did not send back this site's cookie. Allow cookies for this site, then try again."}},
    CatalogueEntry{login_loop, "login_loop", 400, kNotice, retry_login,
                   {"La connexion n’a pas abouti", "Plusieurs tentatives de suite ont échoué. Réessayez d’un clic ; si cela se reproduit, communiquez la référence au support."},
                   {"The sign-in did not complete", "Several attempts in a row have failed. Try again with one click; if it happens again, give the reference to the support team."}},
    CatalogueEntry{logout_not_same_site, "logout_not_same_site", 403, kInfo, site_start,
                   {"Se déconnecter ?", "La demande de déconnexion ne vient pas de ce site. Utilisez le lien de déconnexion du service."},
                   {"Sign out?", "The request to sign out does not come from this site. Use the service's own sign-out link."}},
    CatalogueEntry{return_address_refused, "return_address_refused", 400, kInfo, site_start,
                   {"Adresse de retour refusée", "L’adresse de retour ne fait pas partie de ce site. Revenez à l’accueil du service."},
                   {"Return address refused", "The return address is not part of this site. Go back to the start of the service."}},
    CatalogueEntry{unknown_endpoint, "unknown_endpoint", 404, kInfo, site_start,
                   {"Page introuvable", "Cette page n’existe pas. Revenez à l’accueil du service."},
                   {"Page not found", "This page does not exist. Go back to the start of the service."}},
    CatalogueEntry{method_not_allowed, "method_not_allowed", 405, kInfo, site_start,
                   {"Demande non prise en charge", "Cette page ne s’utilise pas de cette façon. Revenez à l’accueil du service."},
                   {"Request not supported", "This page is not used in this way. Go back to the start of the service."}},
    CatalogueEntry{logout_state_mismatch, "logout_state_mismatch", 200, kInfo, site_start,
                   {"Vous êtes déconnecté de ce service", "Votre session sur ce service est fermée. Fermez aussi le navigateur si l’ordinateur est partagé."},
                   {"You are signed out of this service", "Your session with this service is closed. Close the browser too if the computer is shared."}},
    CatalogueEntry{form_not_kept, "form_not_kept", 401, kInfo, login,
                   {"Votre session avait expiré", "Le formulaire n’a pas été envoyé, car votre session avait expiré. Revenez en arrière pour copier votre saisie, puis reconnectez-vous."},
                   {"Your session had expired", "The form was not sent because your session had expired. Go back to copy what you typed, then sign in again."}},
    CatalogueEntry{form_of_another_user, "form_of_another_user", 403, kNotice, site_start,
                   {"Ce formulaire n’est pas le vôtre",
                    "Un formulaire a été rempli dans ce navigateur par une autre personne. Il n’a pas été envoyé. Elle peut encore le faire en se connectant dans la demi-heure ; ensuite il est effacé."},
                   {"This form is not yours", "A form was filled in by another person in this browser. It was not sent. That person can still send it by signing in within half an hour; then it is deleted."}},
    CatalogueEntry{form_gone, "form_gone", 404, kInfo, site_start,
                   {"Ce formulaire n’est plus disponible",
                    "Il a déjà été envoyé, ou il n’a pas été confirmé à temps. Vérifiez dans le service s’il a été enregistré ; sinon, saisissez-le à nouveau."},
                   {"This form is no longer available", "It was sent already, or it was not confirmed in time. Check in the service whether it was recorded; if not, enter it again."}},
    CatalogueEntry{form_too_large, "form_too_large", 400, kInfo, login,
                   {"Votre formulaire n’a pas été envoyé",
                    "Il fallait d’abord vous connecter à nouveau, et ce formulaire est trop volumineux pour être conservé d’ici là. Revenez en arrière pour copier votre saisie, puis reconnectez-vous."},
                   {"Your form was not sent",
                    "You had to sign in again first, and this form is too large to be kept until then. Go back to copy what you typed, then sign in again."}},
    CatalogueEntry{form_not_admitted, "form_not_admitted", 403, kInfo, site_start,
                   {"Votre formulaire n’a pas été envoyé",
                    "La page à laquelle il est destiné ne vous est pas ouverte avec la connexion actuelle. Il reste conservé pendant une demi-heure après votre envoi."},
                   {"Your form was not sent",
                    "The page it is for is not open to you with the present sign-in. The form is kept for half an hour after you sent it."}},
    CatalogueEntry{form_needs_other_login, "form_needs_other_login", 403, kInfo, login,
                   {"Votre formulaire n’a pas été envoyé",
                    "Cette page demande une connexion plus sûre que celle que vous avez utilisée. Revenez en arrière pour copier votre saisie, puis connectez-vous à nouveau."},
                   {"Your form was not sent",
                    "This page asks for a stronger sign-in than the one you used. Go back to copy what you typed, then sign in again."}},
    CatalogueEntry{callback_repeated, "callback_repeated", 400, kInfo, retry_login, kRestartFr, kRestartEn},
    CatalogueEntry{login_required_machine, "login_required", 401, kInfo, login,
                   {"Connexion nécessaire", "Cette page est réservée aux personnes connectées. Connectez-vous avec ProConnect pour y accéder."},
                   {"Sign-in required", "This page is for people who are signed in. Sign in with ProConnect to reach it."}},

    CatalogueEntry{provider_unreachable, "provider_unreachable", 503, kError, retry_login, kProviderDownFr, kProviderDownEn},
    CatalogueEntry{provider_timeout, "provider_timeout", 503, kError, retry_login, kProviderDownFr, kProviderDownEn},
    CatalogueEntry{provider_tls, "provider_tls", 503, kError, retry_login, kProviderDownFr, kProviderDownEn},
    CatalogueEntry{provider_status, "provider_status", 503, kError, retry_login, kProviderDownFr, kProviderDownEn},
    CatalogueEntry{provider_body_too_large, "provider_body_too_large", 503, kError, retry_login, kProviderDownFr, kProviderDownEn},
    CatalogueEntry{provider_json_malformed, "provider_json_malformed", 503, kError, retry_login, kProviderDownFr, kProviderDownEn},
    CatalogueEntry{provider_busy, "provider_busy", 503, kWarning, retry_login,
                   {"Beaucoup de connexions en cours", "ProConnect met du temps à répondre et d’autres connexions attendent déjà. Patientez quelques secondes, puis réessayez."},
                   {"Many sign-ins under way", "ProConnect is slow to answer and other sign-ins are waiting already. Wait a few seconds, then try again."}},
    CatalogueEntry{provider_url_refused, "provider_url_refused", 503, kError, support_only, kSetupFr, kSetupEn},
    CatalogueEntry{server_stopping, "server_stopping", 503, kInfo, retry_login,
                   {"Le service redémarre", "La connexion a été interrompue par un redémarrage du service. Réessayez dans quelques secondes."},
                   {"The service is restarting", "The sign-in was interrupted by a restart of the service. Try again in a few seconds."}},
    CatalogueEntry{discovery_malformed, "discovery_malformed", 503, kError, retry_login, kProviderDownFr, kProviderDownEn},
    CatalogueEntry{discovery_issuer_mismatch, "discovery_issuer_mismatch", 503, kError, support_only, kSetupFr, kSetupEn},
    CatalogueEntry{jwks_malformed, "jwks_malformed", 503, kError, retry_login, kProviderDownFr, kProviderDownEn},
    CatalogueEntry{client_refused, "client_refused", 503, kError, support_only,
                   {"ProConnect ne reconnaît pas ce service",
                    "ProConnect n’a pas accepté l’identifiant ou le mot de passe de ce service (le vôtre n’est pas en cause). Vous n’y pouvez rien : communiquez la référence ci-dessous au support."},
                   {"ProConnect does not recognise this service",
                    "ProConnect did not accept the identifier or password of this service (yours is not at fault). There is nothing you can do about it: give the reference below to the support team."}},
    CatalogueEntry{code_refused, "code_refused", 400, kNotice, retry_login,
                   {"La connexion a déjà servi ou a expiré", "La réponse de ProConnect n’est plus valable. Recommencez d’un clic."},
                   {"This sign-in was used already or has expired", "The answer of ProConnect is no longer valid. Start again with one click."}},
    CatalogueEntry{token_request_refused, "token_request_refused", 503, kError, retry_login, kLoginFailedFr, kLoginFailedEn},
    CatalogueEntry{token_response_malformed, "token_response_malformed", 503, kError, retry_login, kLoginFailedFr, kLoginFailedEn},
    CatalogueEntry{userinfo_failed, "userinfo_failed", 503, kError, retry_login, kLoginFailedFr, kLoginFailedEn},
    CatalogueEntry{revocation_failed, "revocation_failed", 503, kNotice, site_start, kInternalFr, kInternalEn},
    CatalogueEntry{introspection_failed, "introspection_failed", 503, kError, support_only, kInternalFr, kInternalEn},
    CatalogueEntry{authorization_access_denied, "authorization_access_denied", 403, kInfo, retry_login,
                   {"Connexion refusée ou abandonnée", "ProConnect a refusé la connexion, ou vous l’avez interrompue. Vous pouvez recommencer, au besoin avec un autre compte."},
                   {"Sign-in refused or cancelled", "ProConnect refused the sign-in, or you cancelled it. You may start again, with another account if needed."}},
    CatalogueEntry{authorization_login_required, "authorization_login_required", 401, kInfo, login,
                   {"Connectez-vous avec ProConnect", "Vous n’êtes pas encore connecté à ProConnect. Connectez-vous pour continuer."},
                   {"Sign in with ProConnect", "You are not signed in to ProConnect yet. Sign in to continue."}},
    CatalogueEntry{authorization_invalid_scope, "authorization_invalid_scope", 503, kError, support_only,
                   {"ProConnect refuse une information demandée par ce service",
                    "Ce service demande à ProConnect une information qui ne lui est pas ouverte. Vous n’y pouvez rien : communiquez la référence ci-dessous au support."},
                   {"ProConnect refuses a piece of information this service asks for",
                    "This service asks ProConnect for information that is not open to it. There is nothing you can do about it: give the reference below to the support team."}},
    CatalogueEntry{authorization_invalid_request, "authorization_invalid_request", 503, kError, support_only,
                   {"ProConnect n’a pas accepté la demande de ce service",
                    "La demande de connexion que ce service a envoyée à ProConnect n’est pas correcte. Vous n’y pouvez rien : communiquez la référence ci-dessous au support."},
                   {"ProConnect did not accept the request of this service",
                    "The sign-in request that this service sent to ProConnect is not correct. There is nothing you can do about it: give the reference below to the support team."}},
    CatalogueEntry{authorization_server_error, "authorization_server_error", 503, kWarning, retry_login,
                   {"ProConnect rencontre un problème", "ProConnect signale une erreur de son côté. Patientez une minute, puis réessayez."},
                   {"ProConnect has a problem", "ProConnect reports an error on its side. Wait a minute, then try again."}},
    CatalogueEntry{authorization_temporarily_unavailable, "authorization_temporarily_unavailable", 503, kWarning, retry_login,
                   {"ProConnect est momentanément indisponible", "ProConnect est en maintenance ou surchargé. Patientez quelques minutes, puis réessayez."},
                   {"ProConnect is temporarily unavailable", "ProConnect is under maintenance or overloaded. Wait a few minutes, then try again."}},
    CatalogueEntry{authorization_unsupported_response_type, "authorization_unsupported_response_type", 503, kError, support_only,
                   {"ProConnect ne permet pas à ce service de se connecter ainsi",
                    "Ce service utilise une façon de se connecter que ProConnect ne propose pas. Vous n’y pouvez rien : communiquez la référence ci-dessous au support."},
                   {"ProConnect does not let this service sign in this way",
                    "This service uses a way to sign in that ProConnect does not offer. There is nothing you can do about it: give the reference below to the support team."}},
    CatalogueEntry{authorization_other, "authorization_other", 503, kWarning, retry_login,
                   {"ProConnect a interrompu la connexion",
                    "ProConnect n’a pas pu terminer la connexion. Réessayez ; si le problème persiste, communiquez la référence ci-dessous au support."},
                   {"ProConnect broke off the sign-in",
                    "ProConnect could not complete the sign-in. Try again; if the problem persists, give the reference below to the support team."}},
    CatalogueEntry{authorization_acr_not_reached, "authorization_acr_not_reached", 403, kInfo, retry_login,
                   {"Une authentification plus forte est nécessaire",
                    "Ce service demande une connexion plus sûre (par exemple à deux facteurs) que celle que votre compte permet. "
                    "Utilisez un autre moyen de connexion, ou adressez-vous à votre service informatique."},
                   {"Stronger authentication needed",
                    "This service requires a safer sign-in (with two factors, for instance) than your account allows. Use another means of sign-in, or ask your IT department."}},

    CatalogueEntry{jwt_malformed, "jwt_malformed", 503, kError, retry_login, kLoginFailedFr, kLoginFailedEn},
    CatalogueEntry{jwt_algorithm, "jwt_algorithm", 503, kError, support_only, kSetupFr, kSetupEn},
    CatalogueEntry{jwt_signature, "jwt_signature", 503, kError, retry_login, kLoginFailedFr, kLoginFailedEn},
    CatalogueEntry{jwt_key_unusable, "jwt_key_unusable", 503, kError, retry_login, kLoginFailedFr, kLoginFailedEn},
    CatalogueEntry{jwt_critical_header, "jwt_critical_header", 503, kError, retry_login, kLoginFailedFr, kLoginFailedEn},
    CatalogueEntry{jwe_decryption, "jwe_decryption", 503, kError, retry_login, kLoginFailedFr, kLoginFailedEn},
    CatalogueEntry{jwt_form_unexpected, "jwt_form_unexpected", 503, kError, support_only, kSetupFr, kSetupEn},
    CatalogueEntry{jwt_key_unknown, "jwt_key_unknown", 503, kError, retry_login, kLoginFailedFr, kLoginFailedEn},
    CatalogueEntry{issuer_mismatch, "issuer_mismatch", 503, kError, retry_login, kLoginFailedFr, kLoginFailedEn},
    CatalogueEntry{audience_mismatch, "audience_mismatch", 503, kError, retry_login, kLoginFailedFr, kLoginFailedEn},
    CatalogueEntry{authorized_party_mismatch, "authorized_party_mismatch", 503, kError, retry_login, kLoginFailedFr, kLoginFailedEn},
    CatalogueEntry{subject_invalid, "subject_invalid", 503, kError, retry_login, kLoginFailedFr, kLoginFailedEn},
    CatalogueEntry{token_expired, "token_expired", 503, kError, retry_login, kLoginFailedFr, kLoginFailedEn},
    CatalogueEntry{issued_at_invalid, "issued_at_invalid", 503, kError, retry_login, kLoginFailedFr, kLoginFailedEn},
    CatalogueEntry{nonce_mismatch, "nonce_mismatch", 400, kWarning, retry_login, kLoginFailedFr, kLoginFailedEn},
    CatalogueEntry{access_token_hash_mismatch, "access_token_hash_mismatch", 503, kError, retry_login, kLoginFailedFr, kLoginFailedEn},
    CatalogueEntry{acr_not_satisfied, "acr_not_satisfied", 403, kInfo, retry_login,
                   {"Une authentification plus forte est nécessaire",
                    "Ce service demande une connexion plus sûre (par exemple à deux facteurs) que celle qui vient d’avoir lieu. "
                    "Reconnectez-vous avec un moyen plus fort, ou adressez-vous à votre service informatique."},
                   {"Stronger authentication needed",
                    "This service requires a safer sign-in (with two factors, for instance) than the one that just took place. Sign in again with a stronger means, or ask your IT department."}},
    CatalogueEntry{auth_time_invalid, "auth_time_invalid", 403, kInfo, retry_login,
                   {"Une nouvelle connexion est nécessaire", "Ce service demande que vous confirmiez votre identité à nouveau."},
                   {"A fresh sign-in is needed", "This service asks you to confirm your identity again."}},
    CatalogueEntry{claim_malformed, "claim_malformed", 503, kError, retry_login, kLoginFailedFr, kLoginFailedEn},
    CatalogueEntry{token_not_yet_valid, "token_not_yet_valid", 503, kError, retry_login, kLoginFailedFr, kLoginFailedEn},
    CatalogueEntry{userinfo_subject_mismatch, "userinfo_subject_mismatch", 503, kError, retry_login, kLoginFailedFr, kLoginFailedEn},
    CatalogueEntry{response_issuer_mismatch, "response_issuer_mismatch", 400, kWarning, retry_login, kLoginFailedFr, kLoginFailedEn},

    CatalogueEntry{session_store_unavailable, "session_store_unavailable", 503, kError, retry_login, kSessionsFr, kSessionsEn},
    CatalogueEntry{session_too_large, "session_too_large", 503, kError, support_only,
                   {"Votre profil est trop volumineux", "ProConnect a transmis à votre sujet plus d’informations que ce service ne peut en conserver. Communiquez la référence ci-dessous au support."},
                   {"Your profile is too large", "ProConnect sent more information than this service can keep. Give the reference below to the support team."}},
    CatalogueEntry{session_record_corrupt, "session_record_corrupt", 503, kError, retry_login, kSessionsFr, kSessionsEn},
    CatalogueEntry{sealed_box_unreadable, "sealed_box_unreadable", 400, kInfo, retry_login, kRestartFr, kRestartEn},
    CatalogueEntry{snapshot_unusable, "snapshot_unusable", 503, kWarning, retry_login, kSessionsFr, kSessionsEn},
    CatalogueEntry{session_store_full, "session_store_full", 503, kWarning, retry_login, kSessionsFr, kSessionsEn},

    CatalogueEntry{configuration_invalid, "configuration_invalid", 500, kError, support_only, kSetupFr, kSetupEn},
    CatalogueEntry{key_unusable, "key_unusable", 500, kError, support_only, kSetupFr, kSetupEn},

    CatalogueEntry{audit_log_unwritable, "audit_log_unwritable", 500, kError, support_only, kSetupFr, kSetupEn},

    CatalogueEntry{ErrorCode::access_denied, "access_denied", 403, kInfo, retry_login,
                   kDeniedFr, kDeniedEn},
    CatalogueEntry{access_rule_not_met, "access_rule_not_met", 403, kInfo, retry_login, kDeniedFr, kDeniedEn},
    CatalogueEntry{access_level_not_reached, "access_level_not_reached", 403, kInfo, retry_login, kDeniedFr, kDeniedEn},
    CatalogueEntry{access_list_unavailable, "access_list_unavailable", 403, kError, support_only, kDeniedFr, kDeniedEn},
    CatalogueEntry{access_claim_missing, "access_claim_missing", 403, kInfo, retry_login, kDeniedFr, kDeniedEn},

    CatalogueEntry{internal_error, "internal_error", 500, kError, retry_login, kInternalFr, kInternalEn},
    CatalogueEntry{crypto_failure, "crypto_failure", 500, kError, retry_login, kInternalFr, kInternalEn},
};

}  // namespace

const CatalogueEntry& catalogue_entry(ErrorCode code) noexcept {
    const CatalogueEntry* internal = nullptr;
    for (const auto& entry : kCatalogue) {
        if (entry.code == code) {
            return entry;
        }
        if (entry.code == internal_error) {
            internal = &entry;
        }
    }
    return *internal;
}

std::span<const CatalogueEntry> catalogue() noexcept {
    return kCatalogue;
}

std::string code_text(ErrorCode code) {
    return "PC" + std::to_string(static_cast<unsigned>(code));
}

}  // namespace proconnect::core
