/** Words that a full stop belongs to, and those that it belongs to before a number alone: No. 5. */
export interface Abbreviations {
  always: ReadonlySet<string>;
  beforeNumber: ReadonlySet<string>;
}

const list = (words: string) => words.trim().split(/\s+/);
const capitals = "A B C D E F G H I J K L M N O P Q R S T U V W X Y Z";

const abbreviations = (always: string, beforeNumber: string): Abbreviations => ({
  always: new Set(list(`${capitals} ${always}`)),
  beforeNumber: new Set(list(beforeNumber)),
});

/** By language; Moses calls them non-breaking prefixes. */
export const abbreviationsOf: Readonly<Record<string, Abbreviations>> = {
  en: abbreviations(
    `Adj Adm Adv Asst Ave Bart Bldg Blvd Brig Bros Capt Cmdr Co Col Comdr Con Corp Cpl DR Dr Drs Ens Gen Gov Hon Hosp Hr
     Inc Insp Jr Lt Ltd MM MR MRS MS Maj Messrs Mlle Mme Mr Mrs Ms Msgr Mt Op Ord Pfc Ph Prof Pvt Rep Reps Res Rev Rt Sen
     Sens Sfc Sgt Sr St Supt Surg e.g i.e rev v vs Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec`,
    "No Nos Art Nr no nos pp p Vol Fig",
  ),
  de: abbreviations(
    `${Array.from({ length: 99 }, (_, i) => i + 1).join(" ")} ${capitals.toLowerCase()} II III IV VI VII VIII IX XI XII XIII
     Abb Abs Abt Adr Allg Apr Art Aufl Aug Ausg Bd Bde Bez Bhf Bsp Chr Dez Dipl Dir Dr Evtl Feb Fr Frl Gebr Gen Ges Ggf Hr
     Hrn Hrsg Ing Jan Jh Jhd Jul Jun Kap Kfm Kl Kto Lfd Lt Mag Max Mia Min Mio Mrd Nov Nr Okt Pfd Prof Rd Red Ref Rep S Sek
     Sept Sep St Std Str Tel Univ Usw Verf Vgl Wg Ziff abds allg bzgl bzw ca d.h dgl ebd eig engl etc evtl exkl franz geb gem
     ges gest ggf incl inkl insb jährl kath lat max mind min mtl od p.a s.a s.o s.u sog spez tägl u.a u.U usf usw v.a vgl
     vorm z.B z.T z.Zt zzgl`,
    "",
  ),
  fr: abbreviations(
    `${capitals.toLowerCase()} A.C.N A.M Adj Alt Art Av Bd Boul C-à-d Cf Ch Cie Dr Drs Ed Env Ex Fig Févr Gal Hab Ing Janv Juil
     LL.AA LL.EE Mgr MM Mlle Mlles Mme Mmes Mr N.B Oct P.S Pr Prof Réf Ste Suppl Tél Vol adr ann app art av bibl bull c.-à-d
     cf chap coll corresp dir déc e.a ed env etc ex exempl fig févr hab ibid id inf janv juil l.c loc m.à.j max mil min n.b
     nov obs oct op.cit p.ex par paragr pag part pl pp prod qq réf sept suiv suppl sq tél vol vs`,
    "no nos n°",
  ),
};
