import "./style.css"; document.title = "Sluice";
