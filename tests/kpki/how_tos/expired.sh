echo -400d > age
