cp -r "$REPOSITORY/profiles" .
