"""The sandbox's images: what is put into them (the files beside this one) and how they are made (`build`)."""
