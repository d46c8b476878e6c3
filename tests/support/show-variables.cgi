#!/bin/sh
# What the application received, as a page. Every value is escaped: it came from outside.
printf 'Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n\r\n'
escape() { sed -e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/>/\&gt;/g' -e 's/"/\&quot;/g'; }
cat <<'PAGE'
<!DOCTYPE html>
<html lang="fr">
<meta charset="utf-8">
<title>Page protégée</title>
<style>body{font-family:sans-serif;max-width:60em;margin:2em auto;padding:0 1em}td,th{text-align:left;vertical-align:top;padding:.3em 1em .3em 0;border-bottom:1px solid #ccc;overflow-wrap:anywhere}</style>
<h1>Page protégée</h1>
<p>Voici ce que l’application a reçu.</p>
<table>
<tr><th>Variable<th>Valeur
PAGE
env | grep -E '^(REMOTE_USER|AUTH_TYPE|PROCONNECT_[A-Z0-9_]+)=' | LC_ALL=C sort | escape |
  sed -E 's/^([A-Z0-9_]+)=(.*)$/<tr><td>\1<td>\2/'
cat <<'PAGE'
</table>
<p><a href="/proconnect/logout">Se déconnecter</a></p>
PAGE
