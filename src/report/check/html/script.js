(function () {
  'use strict';
  var box = document.getElementById('filter');
  var field = box.querySelector('input');
  var said = box.querySelector('output');
  var list = function (selector) { return Array.prototype.slice.call(document.querySelectorAll(selector)); };
  var articles = list('article');
  var links = list('#index li');
  var texts = articles.map(function (one) { return one.querySelector('header').textContent.toLowerCase(); });
  function apply() {
    var sought = field.value.trim().toLowerCase();
    var shown = 0;
    articles.forEach(function (one, i) {
      var hidden = texts[i].indexOf(sought) === -1;
      one.hidden = hidden;
      links[i].hidden = hidden;
      shown += hidden ? 0 : 1;
    });
    said.textContent = shown + ' of ' + articles.length + ' shown';
  }
  field.addEventListener('input', apply);
  box.hidden = false;
}());
