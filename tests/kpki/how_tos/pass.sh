echo "correct horse battery staple" > pass; chmod 600 pass; mkdir -p usb
